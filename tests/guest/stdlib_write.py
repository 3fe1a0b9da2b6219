# The standard library may be changed: in this sandbox only (see tests/unit/test_session.c).
import importlib
import os
import sys

folder = os.path.dirname(os.__file__)
path = os.path.join(folder, 'colorsys.py')
original = open(path).read()

with open(path, 'a') as file:
    file.write('\nADDED = 42\n')
import colorsys
print('appended', colorsys.ADDED)

with open(path, 'w') as file:
    file.write('REPLACED = "a text longer than before"\n')
importlib.invalidate_caches()
del sys.modules['colorsys']
import colorsys
print('replaced', colorsys.REPLACED)

with open(os.path.join(folder, 'brand_new_module.py'), 'w') as file:
    file.write('value = 7\n')
importlib.invalidate_caches()
import brand_new_module
print('new', brand_new_module.value)

os.rename(path, path + '.moved')
os.remove(os.path.join(folder, 'this.py'))
print('moved', os.path.exists(path), os.path.exists(path + '.moved'), len(original) > 1000)
print('removed', os.path.exists(os.path.join(folder, 'this.py')))

os.rename(os.path.join(folder, 'json'), os.path.join(folder, 'nosj'))
print('folder renamed', sorted(os.listdir(os.path.join(folder, 'nosj')))[:3])
os.rename(os.path.join(folder, 'nosj'), os.path.join(folder, 'json'))
