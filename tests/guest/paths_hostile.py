# Nothing of the host is visible, whatever the path.
import glob
import os
import pathlib
import shutil
import sys
import urllib.request

HOST_FILES = ['etc/passwd', 'etc/hostname', 'etc/hosts', 'proc/self/exe', 'proc/self/maps',
              'proc/self/environ', 'proc/1/cmdline', 'dev/sda', 'dev/mem', 'root/.bashrc',
              'home/user', 'usr/bin/env', 'bin/sh', 'sys/kernel', 'var/log', 'boot']


def attempt(name, function):
    try:
        value = function()
    except (OSError, ValueError, RecursionError) as error:
        return
    print('VISIBLE', name, repr(value)[:200])


for name in HOST_FILES:
    for path in (name, '/' + name, '//' + name, '/../' + name, '/../../../../' + name,
                 '../../../../../../' + name, '/tmp/../' + name, '/tmp/../../' + name,
                 './../../' + name, '/./' + name, '/tmp/./.././' + name, '/' + name + '/.',
                 '/usr/../' + name, '/%2e%2e/' + name, '\\..\\' + name, '/tmp/..\x00/' + name,
                 '/' + name + '\x00.py', '/‥/' + name, '/dev/fd/../../' + name,
                 '/proc/self/root/' + name, '/proc/self/cwd/../../' + name, '~/' + name):
        attempt(path, lambda: open(path).read(10))
        attempt(path, lambda: open(path.encode()).read(10))
        attempt(path, lambda: os.stat(path))
        attempt(path, lambda: os.lstat(path))
        attempt(path, lambda: os.listdir(path))
        attempt(path, lambda: os.readlink(path))
        attempt(path, lambda: os.open(path, os.O_RDONLY))
        attempt(path, lambda: pathlib.Path(path).read_bytes())
        attempt(path, lambda: shutil.copy(path, '/tmp/copied'))
        attempt(path, lambda: os.rename(path, '/tmp/renamed'))
        attempt(path, lambda: os.link(path, '/tmp/linked'))
        attempt(path, lambda: os.chdir(path))
    attempt(name, lambda: urllib.request.urlopen('file:///' + name))

# Links to the outside lead nowhere.
os.makedirs('/tmp/links')
for number, target in enumerate(['/etc/passwd', '../../../../etc/passwd', '/proc/self/root/etc/passwd',
                                 '//etc/passwd', '../' * 100 + 'etc/passwd']):
    link = f'/tmp/links/{number}'
    try:
        os.symlink(target, link)
    except OSError:
        continue
    attempt(target, lambda: open(link).read())
    attempt(target, lambda: os.stat(link))
    attempt(target, lambda: os.listdir(os.path.dirname(link) + f'/{number}/..'))
# A loop of links ends, too.
try:
    os.symlink('/tmp/links/b', '/tmp/links/a')
    os.symlink('/tmp/links/a', '/tmp/links/b')
except OSError:
    pass
attempt('loop', lambda: open('/tmp/links/a'))
attempt('long path', lambda: open('/' + 'a/' * 100_000))
attempt('long name', lambda: open('/tmp/' + 'a' * 100_000, 'w'))
attempt('empty', lambda: open(''))
attempt('descriptor 3 to 20', lambda: [os.read(fd, 1) for fd in range(3, 21)])
attempt('descriptor -1', lambda: os.read(-1, 1))
attempt('descriptor 2**31-1', lambda: os.read(2**31 - 1, 1))

print('host directories in /:',
      sorted({'etc', 'proc', 'sys', 'root', 'boot', 'var', 'bin', 'sbin', 'opt', 'srv', 'mnt'}
             & set(os.listdir('/'))))
print('..  of / is /:', os.path.samefile('/', '/..'))
print('no entry beyond the root:', sorted(os.listdir('/..')) == sorted(os.listdir('/')))
print('environment holds nothing of the host:',
      sorted(set(os.environ) & {'PATH', 'USER', 'SHELL', 'LOGNAME', 'HOSTNAME', 'SSH_AUTH_SOCK'}))
print('glob:', glob.glob('/etc/*') + glob.glob('/proc/*') + glob.glob('/home/*/*'))
print('walk finds no password file:',
      not any('passwd' in files for _, _, files in os.walk('/')))
print('goes on', file=sys.stderr)
