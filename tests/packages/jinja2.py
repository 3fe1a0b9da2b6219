import jinja2
import markupsafe

environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True,
                                 loader=jinja2.DictLoader({
    "base": "<{{ self.title() }}>{% block body %}{% endblock %}{% block title %}none{% endblock %}",
    "page": """{% extends "base" %}
{% macro item(n, cls="x") %}<li class="{{ cls }}">{{ n }}</li>{% endmacro %}
{% block title %}{{ name|title }}{% endblock %}
{% block body %}
{% for row in rows if row is divisibleby 2 %}
{{ loop.index }}/{{ loop.length }} {{ item(row) }}{{ "," if not loop.last }}
{% else %}
empty
{% endfor %}
{% endblock %}""",
}))
print(environment.get_template("page").render(name="a & b", rows=range(6)))
print(environment.from_string("{{ x }} {{ x|safe }} {{ '%.2f'|format(y) }} {{ z|tojson }}").render(
    x="<b>", y=1 / 3, z={"k": ["<", 1]}))
print(environment.from_string("{% set ns = namespace(n=0) %}{% for i in d|dictsort %}{% set ns.n = ns.n + i[1] %}"
                              "{{ i[0] }}{% endfor %}={{ ns.n }}").render(d={"b": 2, "a": 1}))
try:
    environment.from_string("{% if %}")
except jinja2.TemplateSyntaxError as error:
    print(error.lineno, error)
try:
    jinja2.Environment(undefined=jinja2.StrictUndefined).from_string("\n{{ nothing.here }}").render()
except jinja2.UndefinedError as error:
    print(error)
from jinja2.sandbox import SandboxedEnvironment
try:
    SandboxedEnvironment().from_string("{{ ().__class__.__bases__ }}").render()
except jinja2.exceptions.SecurityError as error:
    print(error)
print(markupsafe.Markup("<i>%s</i>") % "<x>", markupsafe.escape("'&'"), markupsafe.Markup("a <b>c</b>").striptags())


async def main():
    template = jinja2.Environment(enable_async=True).from_string(
        "{% for x in items() %}{{ x }};{% endfor %}")

    async def items():
        for i in range(3):
            yield i

    print(await template.render_async(items=items))


await main()
