"""The training loop, its clock and memory meter, prediction, and the price of a step."""
