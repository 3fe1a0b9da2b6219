# sqlite3: in memory and in a file, transactions, functions, windows, errors.
import datetime
import os
import sqlite3

db = sqlite3.connect(':memory:')
db.execute('create table t (id integer primary key, name text unique, score real, data blob)')
with db:
    db.executemany('insert into t (name, score, data) values (?, ?, ?)',
                   [('ada', 9.5, b'\x00\xff'), ('bob', 7.25, None), ('cöl', 8, b'')])
print(db.execute('select * from t order by id').fetchall())
try:
    with db:
        db.execute("insert into t (name) values ('dan')")
        db.execute("insert into t (name) values ('ada')")
except sqlite3.IntegrityError as error:
    print('rolled back:', error, db.execute('select count(*) from t').fetchone())
for bad in ('select nothing from t', 'select * from missing', 'not sql'):
    try:
        db.execute(bad)
    except sqlite3.OperationalError as error:
        print(error)

db.create_function('reverse', 1, lambda text: text[::-1])


class Median:
    def __init__(self):
        self.values = []

    def step(self, value):
        self.values.append(value)

    def finalize(self):
        return sorted(self.values)[len(self.values) // 2]


db.create_aggregate('median', 1, Median)
print(db.execute('select group_concat(reverse(name)), median(score) from t').fetchone())
print(db.execute('''select name, rank() over (order by score desc),
                    sum(score) over (order by id rows between 1 preceding and current row)
                    from t order by id''').fetchall())
print(db.execute('''with recursive f(a, b) as (select 0, 1 union all select b, a + b from f where b < 100)
                    select group_concat(a) from f''').fetchone())
db.row_factory = sqlite3.Row
row = db.execute('select * from t where name = :name', {'name': 'bob'}).fetchone()
print(row['score'], row.keys(), tuple(row))
print(db.execute("select json_extract('{\"a\": [1, 2, 3]}', '$.a[1]')").fetchone()[0])

path = '/tmp/test.db'
with sqlite3.connect(path) as disk:
    db.backup(disk)
    disk.execute('create index i on t (score)')
disk.close()
disk = sqlite3.connect(path)
print('file', os.path.getsize(path) > 0, disk.execute('select count(*) from t').fetchone())
disk.execute('create table big (n integer, t text)')
with disk:
    disk.executemany('insert into big values (?, ?)', ((n, f'row {n}') for n in range(20_000)))
print('rows', disk.execute('select count(*), sum(n), max(t) from big').fetchone())
other = sqlite3.connect(path)
print('second connection', other.execute('select count(*) from big where n % 7 = 0').fetchone())
disk.execute('delete from big where n > 100')
disk.commit()
disk.execute('vacuum')
print('check', disk.execute('pragma integrity_check').fetchone())
disk.close()
other.close()
print('dump', sum(1 for _ in sqlite3.connect(path).iterdump()))
print('iso date', sqlite3.connect(':memory:').execute("select date('2024-02-28', '+2 days')").fetchone())
print(sqlite3.connect(':memory:').execute('select typeof(1), typeof(1.5), typeof(null), 2 << 40').fetchone())
