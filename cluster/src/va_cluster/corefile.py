"""CoreDNS's configuration for a cluster that resolves only its own names."""

LEFT_OUT = frozenset({"loop", "forward"})


def without_upstream(corefile: str) -> str:
    """The Corefile without the plugins that ask servers outside of the cluster.

    `loop` goes too: it sends a query upstream to see whether it comes back.
    """
    kept = []
    depth = 0
    for line in corefile.splitlines():
        words = line.split()
        opens = line.rstrip().endswith("{")
        if depth:
            depth += opens - (words[:1] == ["}"])
        elif words[:1] and words[0] in LEFT_OUT:
            depth = int(opens)
        else:
            kept.append(line)
    return "\n".join(kept) + "\n"
