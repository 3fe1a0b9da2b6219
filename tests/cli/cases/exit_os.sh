eryx run -c 'import os; print(1, flush=True); os._exit(7)'
