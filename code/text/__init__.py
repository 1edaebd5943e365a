"""What is said of facts: rules that judge them, and sentences in every language."""
