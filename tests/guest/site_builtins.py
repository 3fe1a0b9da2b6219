# What `site` gives a prompt, and breakpoint(), without a console.
import builtins
import contextlib
import io
import os
import sys
import warnings

print(exit, '|', quit)
print(credits)
print(repr(copyright) == sys.copyright, 'license()' in repr(license), 'Python Software' in repr(copyright))


def output_of(function, *arguments):
    with contextlib.redirect_stdout(io.StringIO()) as stream:
        function(*arguments)
    return stream.getvalue()


text = output_of(license)
print('PYTHON SOFTWARE FOUNDATION LICENSE' in text, text.count('\n') > 100)
print(output_of(copyright) == sys.copyright + '\n', output_of(credits) == repr(credits) + '\n')
print('number of items' in output_of(help, len), 'Related help topics' in output_of(help, 'for'))
print('You are now leaving help' in output_of(help))
for leave in exit, quit:
    try:
        leave(3)
    except SystemExit as error:
        print(leave, error.code)

try:
    breakpoint()
except RuntimeError as error:
    print(error)
os.environ['PYTHONBREAKPOINT'] = '0'
print(breakpoint())
os.environ['PYTHONBREAKPOINT'] = 'builtins.print'
breakpoint('called', end='!\n')
os.environ['PYTHONBREAKPOINT'] = 'print'
breakpoint('again')
for missing in ('nowhere.function', 'builtins.nothing', 'nothing', '.', 'x.'):
    os.environ['PYTHONBREAKPOINT'] = missing
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        breakpoint()
    print(caught[0].message, caught[0].filename == sys._getframe().f_code.co_filename)
sys.breakpointhook = lambda: print('own hook')
breakpoint()

# The session's names are theirs to replace.
license = 'mine'
print(license, builtins.license is not license)
