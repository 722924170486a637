// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)

// etcd, as its own main package starts it.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() {
	etcdmain.Main(os.Args)
}
