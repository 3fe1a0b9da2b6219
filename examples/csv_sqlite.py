"""Loads orders from CSV on stdin into sqlite3 and reports on them.

    eryx run --stdin examples/csv_sqlite.py < examples/data/orders.csv
"""
import csv
import sqlite3
import sys

db = sqlite3.connect(':memory:')
db.executescript('''
    create table orders (
        id integer primary key, day text not null, region text not null, customer text not null,
        product text not null, quantity integer not null check (quantity > 0), price real not null
    );
    create view sales as select *, quantity * price as amount, substr(day, 1, 7) as month from orders;
''')


def load(lines):
    rows = csv.DictReader(lines)
    with db:
        db.executemany(
            'insert into orders values (:order, :date, :region, :customer, :product, :quantity, :unit_price)',
            rows)
    db.execute('create index by_customer on orders (customer)')
    return db.execute('select count(*), min(day), max(day) from orders').fetchone()


def text(cell):
    if cell is None:
        return '-'
    return f'{cell:,.2f}' if isinstance(cell, float) else str(cell)


def table(title, query, *parameters):
    cursor = db.execute(query, parameters)
    names = [column[0] for column in cursor.description]
    rows = [[text(cell) for cell in row] for row in cursor]
    widths = [max(map(len, column)) for column in zip(names, *rows)]
    print(f'\n{title}')
    for row in [names, *rows]:
        first, *others = (cell.rjust(width) for cell, width in zip(row, widths))
        print('  ', first.strip().ljust(widths[0]), '  ', '  '.join(others), sep='')


count, first, last = load(sys.stdin)
if not count:
    sys.exit('no orders on stdin')
print(f'{count:,} orders from {first} to {last}')

table('Products by sales', '''
    select product, sum(quantity) as pieces, sum(amount) as sales,
           round(100.0 * sum(amount) / sum(sum(amount)) over (), 1) as percent
    from sales group by product order by sales desc''')

table('Regions', '''
    select region, count(*) as orders, sum(amount) as sales, avg(amount) as average, max(amount) as largest
    from sales group by region order by sales desc''')

table('Months: running total and change to the month before', '''
    with months as (select month, sum(amount) as sales from sales group by month)
    select month, sales, sum(sales) over (order by month) as so_far,
           round(100 * (sales / lag(sales) over (order by month) - 1), 1) as change
    from months order by month''')

table('The best product of each region', '''
    with ranked as (
        select region, product, sum(amount) as sales,
               rank() over (partition by region order by sum(amount) desc) as place
        from sales group by region, product)
    select region, product, sales from ranked where place = 1 order by region''')

table('Median and 90th percentile of an order', '''
    with placed as (
        select amount, percent_rank() over (order by amount) as rank from sales)
    select 'amount' as what, min(case when rank >= 0.5 then amount end) as median,
           min(case when rank >= 0.9 then amount end) as p90 from placed''')

table('Customers with the longest streak of months', '''
    with active as (
        select distinct customer, cast(substr(month, 6) as integer) as n from sales),
    runs as (
        select customer, n, n - row_number() over (partition by customer order by n) as run from active)
    select customer, count(*) as months, min(n) as first, max(n) as last
    from runs group by customer, run order by months desc, customer limit 5''')
