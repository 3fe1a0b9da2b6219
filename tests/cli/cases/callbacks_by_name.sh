echo '[{"name": "ask", "command": ["cat"]}]' > a.json
eryx run --callbacks a.json -c 'print(await ask(question="?"))
try:
    await ask("?")
except TypeError as error:
    print(error)'
