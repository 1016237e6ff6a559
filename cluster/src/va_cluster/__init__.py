"""A kind cluster for trying and testing, also where nothing can be pulled."""
