"""Which sites to choose, on arrays alone: pairs of site and demand in, a choice with its bound out."""
