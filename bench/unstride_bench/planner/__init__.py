"""How good the planner's choices are: times of all variants, what its choices lose, and the fit of its constants."""
