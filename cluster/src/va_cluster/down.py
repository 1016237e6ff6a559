"""`va-cluster down`: removes clusters, and the engine with the last one."""

from va_cluster import engine, kind, network
from va_cluster.cache import remove_tree
from va_cluster.engine import Engine
from va_cluster.workplace import Workplace

KEPT_HOURS = 24


def down(place: Workplace, *, every: bool) -> None:
    """Delete the cluster, or all of this cache's; stop the engine if we started it for them."""
    found = place.engine()
    if found is None and engine.read_record(place.run):
        # A killed engine leaves containers behind that only an engine can remove.
        found = place.ensure_engine()
    names = {place.name}
    if every:
        made = kind.list_clusters(found) if found and found.private else ()
        names = {*kind.recorded_clusters(place.cache), *made}
    for name in sorted(names):
        _delete(place, found, name)
    with place.cache.lock("engine"):
        if found and found.private and not kind.list_clusters(found):
            with place.progress.step("Stopping the private engine"):
                network.remove_network(found)
                # Each build leaves what the last one of its name was made of.
                old = ("--filter", f"until={KEPT_HOURS}h")
                found.shell.result("docker", "image", "prune", "--force", *old)
                engine.stop_private(place.run)


def _delete(place: Workplace, found: Engine | None, name: str) -> None:
    with place.cache.lock(f"cluster-{name}"):
        nodes = kind.list_nodes(found, name) if found else ()
        folder = kind.kubeconfig(place.cache, name).parent
        if not nodes and not folder.exists():
            place.progress.say(f"There is no cluster {name}.")
            return
        with place.progress.step(f"Deleting cluster {name}"):
            if found:
                kind.delete_nodes(found, nodes)
            remove_tree(folder)
