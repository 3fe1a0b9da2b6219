import io

from rich.console import Console
from rich.json import JSON
from rich.markdown import Markdown
from rich.panel import Panel
from rich.pretty import pretty_repr
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

console = Console(width=60, file=io.StringIO(), force_terminal=True, color_system="truecolor", legacy_windows=False)
console.print("[bold red]alert[/] plain :smiley:", 42, {"a": [1, None]})
table = Table(title="T")
table.add_column("Name", style="cyan")
table.add_column("N", justify="right")
table.add_row("one", "1")
table.add_row("zwölf", "[i]12[/i]")
console.print(table)
console.print(Panel(Text("boxed", style="on blue"), title="p", expand=False))
tree = Tree("root")
tree.add("leaf").add("deeper")
console.print(tree)
console.print(Markdown("# Head\n\n* item `code`\n\n> quote\n"))
console.print(Syntax("def f(x):\n    return x + 1", "python", line_numbers=True))
console.print(JSON('{"k": [1, true, null]}'))
print(repr(console.file.getvalue()))
print(pretty_repr({"key": list(range(30))}, max_width=40))
plain = Console(width=50, file=io.StringIO())
plain.rule("end")
try:
    1 / 0
except ZeroDivisionError:
    plain.print_exception()
print("ZeroDivisionError" in plain.file.getvalue(), "─ end ─" in plain.file.getvalue())
