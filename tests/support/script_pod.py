"""Pods that run a program of the tests, under the restricted Pod Security Standard."""

from support.cluster import Manifest


def script_container(name: str, image: str, *command: str, **more: object) -> Manifest:
    """Return a container of such a pod."""
    return {
        "name": name,
        "image": image,
        "command": list(command),
        # The operator's image runs without docstrings, and the help of a program is one.
        "env": [{"name": "PYTHONOPTIMIZE", "value": ""}],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
        **more,
    }


def script_pod(name: str, *containers: Manifest, **spec: object) -> Manifest:
    """Return a pod, labelled with its name."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 1,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 65532,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": list(containers),
            **spec,
        },
    }


def is_up(port: int) -> Manifest:
    """Return what makes a container ready as soon as it answers."""
    return {"httpGet": {"path": "/health", "port": port}, "periodSeconds": 1}
