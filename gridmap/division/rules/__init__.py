"""The rules: bands, dedicated areas, villager groups and pairs of buildings in; what the search may do where, out."""
