"""`va-cluster up`: from whatever there is to a cluster that works."""

import json
import time

from va_cluster import binaries, corefile, kind, network, node_image, plan, readiness
from va_cluster.engine import Engine
from va_cluster.errors import CommandFailed
from va_cluster.kubectl import Kubectl
from va_cluster.plan import Step
from va_cluster.workplace import Workplace

CANNOT_PULL = "failed to pull image"
CONTROL_PLANE_TAINT = "node-role.kubernetes.io/control-plane-"
SYSTEM = ("--namespace", "kube-system")


def up(place: Workplace, nodes: int | None) -> None:
    """Make sure of an engine, kind, a node image and the cluster, each where it is missing."""
    started = time.monotonic()
    found = place.ensure_engine()
    with place.cache.lock(f"cluster-{place.name}"):
        observed = place.observe(found)
        steps = plan.missing_steps(observed, nodes)
        if Step.RESUME_NODES in steps:
            paused = [node.id for node in observed.nodes if node.state == "paused"]
            place.progress.say(f"Resuming what was paused: {plan.counted(len(paused))}")
            found.shell.run("docker", "unpause", *paused)
        if Step.DELETE_REMAINS in steps:
            with place.progress.step(f"Removing what is left of an earlier {place.name}"):
                kind.delete_nodes(found, observed.nodes)
        if Step.CREATE in steps:
            count = nodes or 1
            _create(place, found, count)
        else:
            count = len(observed.nodes)
            if found.private:
                # The host's rules may have been flushed since.
                network.ensure_network(found)
            kubectl = place.kubectl(found, observed.nodes[0].name)
            readiness.wait_until_works(kubectl, found, observed.nodes)
    seconds = time.monotonic() - started
    usage = f'`{place.command("kubectl")} ...` or `eval "$({place.command("env")})"`'
    place.progress.say(
        f"Cluster {place.name} is up with {plan.counted(count)} ({seconds:.0f} s). Use {usage}."
    )


def _create(place: Workplace, found: Engine, nodes: int) -> None:
    program = kind.ensure_program(found.shell, place.cache, place.progress)
    image = _own_image(place, found)
    if image is None:
        try:
            _kind_create(place, found, program, nodes, None)
        except CommandFailed as e:
            if CANNOT_PULL not in e.message:
                raise
            place.progress.say("The public node image cannot be pulled: an own one will be used.")
            image = node_image.ensure(found, place.cache, place.progress)
    if image:
        _kind_create(place, found, program, nodes, image)
    binaries.remove_leftovers(place.cache)
    containers = kind.list_nodes(found, place.name)
    kubectl = place.kubectl(found, containers[0].name)
    with place.progress.step("Waiting until DNS and the API server answer pods"):
        kubectl.result("taint", "nodes", "--all", CONTROL_PLANE_TAINT)
        if image:
            _connect_pods(kubectl, found, nodes)
            if nodes == 1:
                kubectl.run(*SYSTEM, "scale", "deployment/coredns", "--replicas=1")
            _close_dns(kubectl)
        readiness.wait_until_works(kubectl, found, containers)
    lives = tuple(node.life for node in containers)
    kind.write_record(place.cache, place.name, kind.Record(lives, image or kind.PUBLIC_IMAGE))


def _own_image(place: Workplace, found: Engine) -> str | None:
    """The own node image where it is needed or already there, else None for the public one.

    The public one asks for capabilities that a machine with no Docker of its own may lack.
    """
    if found.private or node_image.exists(found):
        return node_image.ensure(found, place.cache, place.progress)
    return None


def _kind_create(
    place: Workplace, found: Engine, program: str, nodes: int, image: str | None
) -> None:
    if found.private:
        network.ensure_network(found)
    folder = place.kubeconfig.parent
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "kind.yaml"
    config.write_text(kind.config_text(place.name, nodes, own_image=image is not None))
    # kind adds to a kubeconfig; one of an earlier cluster would linger in it.
    place.kubeconfig.unlink(missing_ok=True)
    shell = found.shell.where(KUBECONFIG=str(place.kubeconfig))
    try:
        with place.progress.step(f"Creating {plan.counted(nodes)} with kind"):
            command = kind.create_command(program, place.name, config, image)
            shell.run_logged(f"kind-{place.name}", *command)
    except BaseException:
        kind.delete_nodes(found, kind.list_nodes(found, place.name))
        raise


def _connect_pods(kubectl: Kubectl, found: Engine, nodes: int) -> None:
    """Tell the nodes of our image where each other's pods are; the public image has its own way."""

    def problem() -> str:
        listed = network.parse_nodes(kubectl.run("get", "nodes", "--output", "json"))
        if len(listed) < nodes:
            return f"{len(listed)} of {nodes} nodes have a subnet for pods"
        for command in network.route_commands(listed):
            found.shell.run(*command)
        return ""

    readiness.wait(problem)


def _close_dns(kubectl: Kubectl) -> None:
    """Let CoreDNS resolve the cluster's names and no others.

    The nodes of our image have Docker's resolver at a loopback address, which
    inside a pod is the pod itself: CoreDNS would ask itself, and stop for it.
    """
    settings = json.loads(kubectl.run(*SYSTEM, "get", "configmap", "coredns", "--output", "json"))
    own = corefile.without_upstream(settings["data"]["Corefile"])
    patch = json.dumps({"data": {"Corefile": own}})
    kubectl.run(*SYSTEM, "patch", "configmap", "coredns", "--patch", patch)
    kubectl.run(*SYSTEM, "rollout", "restart", "deployment/coredns")
