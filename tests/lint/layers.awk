# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# The include rule, executable: awk -f layers.awk FILE…, paths from the top of the tree. Prints each
# include that points the wrong way and exits 1. Files that belong to no layer (tests, demo, bench)
# may include anything.
BEGIN {
  may["maps"] = "maps"
  may["bpf"] = "bpf maps"
  may["base"] = "base"
  may["model"] = "model base"
  may["policy"] = "policy base"
  may["outlier"] = "outlier base policy maps"
  may["plan"] = "plan outlier base model policy maps"
  may["kube"] = "kube base"
  may["source"] = "source kube base model policy"
  may["dataplane"] = "dataplane base plan maps skeleton libbpf"
  may["view"] = "view base dataplane plan maps"
  may["config"] = "config base model maps"
  may["agent"] = "agent config view dataplane source kube plan outlier model policy base maps"
  may["ctl"] = "ctl config view dataplane source kube plan outlier model policy base maps"
}

FNR == 1 {
  split(FILENAME, part, "/")
  layer = part[1] == "user" ? part[2] : part[1]
  checked = layer in may
}

checked && /^[ \t]*#[ \t]*include[ \t]*["<]/ {
  name = $0
  sub(/^[^"<]*["<]/, "", name)
  sub(/[">].*/, "", name)
  to = target(name, $0 ~ /include[ \t]*"/)
  if (to != "" && index(" " may[layer] " ", " " to " ") == 0) {
    printf "%s:%d: %s may not include %s (%s): only %s\n", FILENAME, FNR, layer, name, to, may[layer]
    bad = 1
  }
}

END { exit bad }

# The layer that an included file belongs to; "" for system headers and neighbours in the folder.
function target(name, quoted,    step) {
  if (!quoted)
    return name ~ /^bpf\// && layer != "bpf" ? "libbpf" : ""
  if (name ~ /\.skel\.h$/)
    return "skeleton"
  if (name == "vmlinux.h")
    return "bpf" # generated from the kernel's types: BPF programs only
  if (name ~ /^\.\.\//)
    return "another folder by ../"
  if (split(name, step, "/") == 1)
    return ""
  return step[1] == "user" ? step[2] : step[1] == "lib" ? "bpf" : step[1]
}
