"""Makes the input of the examples, always the same: python3 make_data.py (in this folder)."""
import csv
import random
from datetime import date, datetime, timedelta, timezone

SEED = 20240229
PRODUCTS = {
    'espresso machine': 349.00, 'grinder': 129.50, 'kettle': 59.90, 'scale': 34.95, 'filter papers': 6.49,
    'house blend 1 kg': 24.90, 'single origin 250 g': 13.80, 'decaf 500 g': 15.20, 'mug': 11.00,
    'travel cup': 22.50,
}
REGIONS = {'north': 0.28, 'south': 0.22, 'east': 0.19, 'west': 0.31}


def make_orders(path, rows=3000):
    generate = random.Random(SEED)
    names = list(PRODUCTS)
    with open(path, 'w', newline='', encoding='utf-8') as file:
        writer = csv.writer(file, lineterminator='\n')
        writer.writerow(['order', 'date', 'region', 'customer', 'product', 'quantity', 'unit_price'])
        for number in range(1, rows + 1):
            day = date(2024, 1, 1) + timedelta(days=min(365, int(generate.triangular(0, 366, 340))))
            product = generate.choices(names, [1, 2, 4, 3, 12, 14, 11, 6, 7, 5])[0]
            region = generate.choices(list(REGIONS), REGIONS.values())[0]
            quantity = 1 if PRODUCTS[product] > 100 else generate.choices([1, 2, 3, 6], [50, 28, 14, 8])[0]
            discount = generate.choices([0, 0.05, 0.10], [80, 14, 6])[0]
            customer = f'C{int(generate.paretovariate(1.1)) % 900 + 100}'
            writer.writerow([number, day, region, customer, product, quantity,
                             f'{PRODUCTS[product] * (1 - discount):.2f}'])


def make_log(path, lines=2000):
    generate = random.Random(SEED)
    pages = ['/', '/menu', '/beans', '/beans/ethiopia', '/beans/brazil', '/cart', '/checkout', '/login',
             '/static/site.css', '/static/logo.svg', '/api/stock?item=42', '/api/stock?item=7']
    moment = datetime(2024, 3, 30, 18, 0, tzinfo=timezone.utc)
    with open(path, 'w', encoding='utf-8') as file:
        for number in range(lines):
            moment += timedelta(seconds=generate.expovariate(1 / 25))
            if number % 250 == 249:
                file.write('-- log rotated --\n')
            address = f'198.51.100.{int(generate.paretovariate(0.9)) % 254 + 1}'
            page = generate.choices(pages, [20, 12, 9, 6, 5, 6, 3, 4, 18, 17, 5, 3])[0]
            method = 'POST' if page in ('/checkout', '/login') and generate.random() < 0.7 else 'GET'
            status = generate.choices([200, 304, 302, 404, 500], [82, 9, 4, 4, 1])[0]
            size = 0 if status == 304 else int(generate.lognormvariate(8, 1.2))
            spent = generate.lognormvariate(-3.4, 0.9) * (8 if status == 500 else 1)
            file.write(f'{address} - - [{moment:%d/%b/%Y:%H:%M:%S %z}] "{method} {page} HTTP/1.1" '
                       f'{status} {size} {spent:.3f}\n')


if __name__ == '__main__':
    make_orders('orders.csv')
    make_log('access.log')
