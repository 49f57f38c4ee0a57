"""Makes small checkouts in a folder: a Kubernetes-like tree with real shapes of files, and the paths of v1.28 that the article speaks of."""

from pathlib import Path

FILES = {
    "README.md": "# Kubernetes (K8s)\n\nThis repository holds the container scheduler of the example project.\n\n## Build\n\nTo build it, type:\n\n```\nmake quick-release\n```\n",
    "go.mod": "module k8s.io/kubernetes\n\ngo 1.20\n",
    "Makefile": (
        "OUT_DIR ?= _output\n\ndefine ALL_HELP_INFO\n# Build code.\n#\n# Args:\n#   WHAT: Directory names to build.\nendef\n.PHONY: all\n"
        "ifeq ($(PRINT_HELP),y)\nall:\n\techo \"$$ALL_HELP_INFO\"\nelse\nall:\n\thack/make-rules/build.sh $(WHAT)\nendif\n\n"
        "# Run the fast checks.\nquick-verify: all\n\thack/verify.sh\n\nclean: ## Remove what was built.\n\trm -rf $(OUT_DIR)\n\nundocumented:\n\ttrue\n"
    ),
    "OWNERS": "approvers:\n  - root-approver\nreviewers:\n  - root-reviewer\n",
    "OWNERS_ALIASES": "aliases:\n  sig-node-approvers:\n    - alice\n    - bob\n  sig-other:\n    - carol\n",
    "cmd/kubelet/kubelet.go": "/*\nCopyright 2014 The Authors.\n*/\n\n// The kubelet binary is responsible for maintaining a set of containers on a particular host.\npackage main\n",
    "cmd/kubeadm/kubeadm.go": "package main\n",
    "cmd/kubectl/kubectl.go": "package main\n",
    "pkg/kubelet/OWNERS": "approvers:\n- sig-node-approvers\nlabels:\n- area/kubelet # a remark\n- sig/node\n",
    "pkg/kubelet/doc.go": "// Copyright 2015 The Authors.\n\n// Package kubelet is the package that contains the libraries that drive the\n// Kubelet binary. The kubelet watches pods.\npackage kubelet // import \"k8s.io/kubernetes/pkg/kubelet\"\n",
    "pkg/kubelet/eviction/eviction_manager.go": "// +build linux\n\npackage eviction\n",
    "pkg/kubelet/eviction/zz_generated.deepcopy.go": "// Package eviction is generated.\npackage eviction\n",
    "pkg/scheduler/README.md": "# Scheduler\n\nThe scheduler assigns Pods to Nodes.\n",
    "pkg/scheduler/scheduler.go": "package scheduler\n",
    "pkg/scheduler/framework/plugins/README.md": "# Plugins\n\nEvery in-tree scheduling plugin has a directory here.\n",
    "build/run.sh": "#!/bin/sh\n",
    "build/common.sh": "#!/bin/sh\n",
    "build/README.md": "# Building Kubernetes\n\nBinaries land in `_output/dockerized/bin`.\n",
    "docs/notes.rst": "Notes\n=====\n\nThe first note is about leases.\n\nMore\n----\n\nThe second note is about quotas.\n",
    "docs/guide.zh.md": "# 指南\n\n这份指南说明如何调试调度器。\n",
    "staging/src/k8s.io/client-go/README.md": "# client-go\n\nGo clients for talking to a Kubernetes cluster.\n",
    "staging/src/k8s.io/kubectl/pkg/util/i18n/translations/README.md": "# Translations README\n\nThis is a basic sketch of the workflow needed to add translations.\n",
    "CHANGELOG/CHANGELOG-1.28.md": "# v1.28\n\nThe secret word is xylophone.\n",
    "vendor/example.com/lib/README.md": "# A vendored library\n\nThe vendored word is marimba.\n",
    "hack/verify.sh": "#!/bin/sh\n",
    "api/openapi-spec/README.md": "# OpenAPI\n\nThis folder contains an OpenAPI specification for the Kubernetes API.\n",
    "cluster/README.md": "# Cluster Configuration\n\nThe scripts here bring up test clusters.\n",
    "test/README.md": "# Tests\n\nThe tests of the example project are here.\n",
    "plugin/pkg/admission/noderestriction/admission.go": "package noderestriction\n",
    "logo/logo.svg": "<svg/>\n",
    "third_party/protobuf/LICENSE": "licence\n",
}


def write_tree(root: Path, files: dict[str, str] | None = None) -> Path:
    """Write a tree; gives its root."""
    for path, text in (FILES if files is None else files).items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode("utf-8"))
    return root


def touch_paths(root: Path, listing: Path) -> Path:
    """Make empty files and folders (a slash at the end) from a list of paths."""
    for line in listing.read_text(encoding="utf-8").splitlines():
        target = root / line.rstrip("/")
        if line.endswith("/"):
            target.mkdir(parents=True, exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.touch()
    return root
