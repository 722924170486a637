// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)

// Kubernetes' kubelet, as its own main package starts it.
package main

import (
	"context"
	"os"

	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/metrics/prometheus/version" // its build_info
	"k8s.io/kubernetes/cmd/kubelet/app"
)

func main() {
	os.Exit(cli.Run(app.NewKubeletCommand(context.Background())))
}
