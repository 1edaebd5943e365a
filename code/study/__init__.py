"""The ground: what a run is, which runs a profile asks for, what a parameter's name says."""
