HIDDEN=1 eryx run --env A=1 --env 'B=x=y z' --env C= -c 'import os; print(os.environ["A"], os.environ["B"], repr(os.environ["C"]), "HIDDEN" in os.environ, "PATH" in os.environ)'
