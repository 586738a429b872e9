"""The search: weighted, adjacent atoms as arrays in; a part for each atom, and proofs of what cannot be, out."""
