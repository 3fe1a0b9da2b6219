eryx run -c 'import os; print(1, flush=True); os.abort()'
