eryx run --result total -c 'print("output"); total = {"a": [1, None, 2.5, "x"]}'
