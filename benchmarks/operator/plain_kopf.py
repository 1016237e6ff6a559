"""The comparison: what one writes first with kopf, an `on.create` handler that creates children.

Asynchronous, with kubernetes' own asynchronous client, so the quickest of the plain ways. It
creates the same children with the same status, and nothing more: nothing is compared, healed or
followed. `kopf run -m benchmarks.operator.plain_kopf --standalone -A`, with the template's
file in BENCH_TEMPLATE.
"""

import json
import os
from pathlib import Path
from typing import Any

import kopf
from kubernetes.aio import client, config

from benchmarks.operator.template import Template
from va_operator.api import GROUP, PLURAL, VERSION

TEMPLATE = Template.from_json(Path(os.environ["BENCH_TEMPLATE"]).read_text())


@kopf.on.login()
def login(**kwargs: Any) -> kopf.ConnectionInfo | None:
    """Log in as the kubeconfig says."""
    return kopf.login_with_kubeconfig(**kwargs)


@kopf.on.startup()
async def startup(settings: kopf.OperatorSettings, memo: kopf.Memo, **_: Any) -> None:
    """Connect the client once, and post no events: the operator posts none either."""
    settings.posting.enabled = False
    settings.scanning.disabled = True
    await config.load_kube_config()  # type: ignore[no-untyped-call]
    api = client.ApiClient()
    core, apps = client.CoreV1Api(api), client.AppsV1Api(api)
    memo.create = {
        "ConfigMap": core.create_namespaced_config_map,
        "Service": core.create_namespaced_service,
        "Deployment": apps.create_namespaced_deployment,
        "PodDisruptionBudget": client.PolicyV1Api(api).create_namespaced_pod_disruption_budget,
        "NetworkPolicy": client.NetworkingV1Api(api).create_namespaced_network_policy,
    }
    memo.api = api


@kopf.on.cleanup()
async def cleanup(memo: kopf.Memo, **_: Any) -> None:
    """Close the connections."""
    await memo.api.close()


@kopf.on.create(GROUP, VERSION, PLURAL)
async def created(
    name: str, namespace: str | None, uid: str, memo: kopf.Memo, patch: kopf.Patch, **_: Any
) -> None:
    """Create the children, one after the other, and set the status."""
    for form in TEMPLATE.children:
        _path, body = form.fill(name, str(namespace), uid)
        await memo.create[form.kind](str(namespace), json.loads(body))
    _path, status = TEMPLATE.status.fill(name, str(namespace), uid)
    patch.status.update(json.loads(status)["status"])
