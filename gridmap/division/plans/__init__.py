"""The plans: atoms with grid labels in; a `GridPlan` with codes, outlines and findings out, and new plans by edits."""
