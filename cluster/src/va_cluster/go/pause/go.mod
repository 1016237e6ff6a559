module virtualassistant.dev/cluster/pause

go 1.24
