"""What scripts/simulation_study.py is made of: streams of known truth against `measure`."""
