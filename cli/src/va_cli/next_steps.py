"""What a user can do about the state of an assistant."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from va_cli.assistants import Assistant
    from va_cli.pods import Pod

_THE_MODEL = {
    "KeyMissing": "kubectl create secret generic SECRET --from-literal=KEY=… -n {ns}, "
    "as `spec.model.apiKeySecretRef` names it",
    "KeyRefused": "put a valid key into the Secret that `spec.model.apiKeySecretRef` names",
    "CAMissing": "kubectl create configmap NAME --from-file=KEY=FILE -n {ns}, "
    "as `spec.model.caConfigMapRef` names it",
    "CAInvalid": "put the CA's certificate, in PEM, into the ConfigMap that "
    "`spec.model.caConfigMapRef` names",
    "ModelNotFound": "kubectl edit va {name} -n {ns}, and correct `spec.model.name`",
    "RequestRefused": "kubectl edit va {name} -n {ns}, and correct `spec.model`",
    "HostNotFound": "kubectl edit va {name} -n {ns}, and correct `spec.model.baseURL`",
    "ConnectionRefused": "start the server that `spec.model.baseURL` names, or correct it",
    "TLSFailed": "kubectl edit va {name} -n {ns}, and correct `spec.model.baseURL`, or name the CA "
    "in `spec.model.caConfigMapRef`",
    "BudgetSpent": "wait until 00:00 UTC, or raise `spec.budget.tokensPerDay`: "
    "kubectl edit va {name} -n {ns}",
    "ContextTooLarge": "shorten the context, or take a model with a larger window",
}
_THE_CONTEXT = {
    "ContextNotFound": "kubectl create configmap NAME --from-file=KEY=FILE -n {ns}",
    "ContextKeyNotFound": "kubectl edit va {name} -n {ns}, and correct `configMapRef.key`",
    "ContextTooLarge": "shorten the context, or take a model with a larger window",
}
_THE_TOKENS = (
    "kubectl create secret generic SECRET --from-literal=KEY=… -n {ns}, "
    "as `spec.auth.tokenSecretRef` names it"
)
_TROUBLED_PODS = frozenset(
    {
        "CrashLoopBackOff",
        "CreateContainerConfigError",
        "CreateContainerError",
        "ErrImageNeverPull",
        "ErrImagePull",
        "Error",
        "ImagePullBackOff",
        "OOMKilled",
        "RunContainerError",
        "Unschedulable",
    }
)


def next_step(assistant: Assistant, pods: Sequence[Pod]) -> str:
    """Return one thing to do now; `{va}` stands for the program's name."""
    name, ns = assistant.name, assistant.namespace
    if assistant.suspended:
        return f'kubectl patch va {name} -n {ns} --type merge -p \'{{"spec":{{"suspend":false}}}}\''
    if assistant.replicas == 0:
        return f"kubectl scale va {name} -n {ns} --replicas 1"
    if not assistant.conditions:
        return (
            "kubectl get pods -A -l app.kubernetes.io/component=operator, as the operator is silent"
        )
    for kind, known in (("ContextResolved", _THE_CONTEXT), ("ModelReachable", _THE_MODEL)):
        condition = assistant.condition(kind)
        if condition and condition.status == "False":
            step = known.get(
                condition.reason, f"kubectl edit va {{name}} -n {{ns}} ({condition.reason})"
            )
            return step.format(name=name, ns=ns)
    ready = assistant.condition("Ready")
    if ready and ready.reason == "TokenMissing":
        return _THE_TOKENS.format(ns=ns)
    for pod in pods:
        if pod.status in _TROUBLED_PODS:
            return f"kubectl describe pod {pod.name} -n {ns}"
    if assistant.holds("Ready"):
        return f'{{va}} ask {name} -n {ns} "…"'
    return f"kubectl wait va/{name} -n {ns} --for=condition=Ready --timeout=2m"
