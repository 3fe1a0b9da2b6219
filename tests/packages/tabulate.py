from tabulate import tabulate

rows = [["spam", 41.9999], ["eggs", 451], ["ä", None], ["x\ny", -1e-9]]
for style in "plain", "github", "grid", "fancy_grid", "html", "latex", "tsv", "rst", "heavy_outline":
    print(tabulate(rows, headers=["item", "qty"], tablefmt=style, floatfmt=".3f", missingval="?"))
print(tabulate({"a": [1, 2], "b": ["x", "yy"]}, headers="keys", showindex=True, stralign="right"))
print(tabulate([["a" * 30, 1]], maxcolwidths=[10], tablefmt="simple_grid"))
