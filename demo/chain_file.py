"""A chain as a file: 30 countries, their regions and areas, stores with hours, and their managers."""

import io
from typing import Any

import xlsxwriter

from stores.importing.columns import SHEETS

COUNTRIES = {
    "AT": "Europe/Vienna", "BE": "Europe/Brussels", "BG": "Europe/Sofia", "CH": "Europe/Zurich",
    "CZ": "Europe/Prague", "DE": "Europe/Berlin", "DK": "Europe/Copenhagen", "EE": "Europe/Tallinn",
    "ES": "Europe/Madrid", "FI": "Europe/Helsinki", "FR": "Europe/Paris", "GB": "Europe/London",
    "GR": "Europe/Athens", "HR": "Europe/Zagreb", "HU": "Europe/Budapest", "IE": "Europe/Dublin",
    "IT": "Europe/Rome", "LT": "Europe/Vilnius", "LU": "Europe/Luxembourg", "LV": "Europe/Riga",
    "NL": "Europe/Amsterdam", "NO": "Europe/Oslo", "PL": "Europe/Warsaw", "PT": "Europe/Lisbon",
    "RO": "Europe/Bucharest", "SE": "Europe/Stockholm", "SI": "Europe/Ljubljana", "SK": "Europe/Bratislava",
    "UA": "Europe/Kyiv", "AE": "Asia/Dubai",
}  # fmt: skip
Table = list[list[str]]


def chain_tables(stores: int, root: str) -> dict[str, Table]:
    """Sheets for so many stores below the node `root`; ten stores to an area, ten areas to a region."""
    nodes: Table = [[code, f"Country {code}", "country", root] for code in COUNTRIES]
    tables: dict[str, Table] = {"nodes": nodes, "stores": [], "hours": [], "staff": []}
    codes = list(COUNTRIES)
    seen: set[str] = set()
    for number in range(stores):
        country = codes[number % len(codes)]
        nth = number // len(codes)
        region, area = f"{country}-R{nth // 100}", f"{country}-A{nth // 10}"
        for code, kind, parent in ((region, "region", country), (area, "area", region)):
            if code not in seen:
                seen.add(code)
                nodes.append([code, f"{kind.title()} {code}", kind, parent])
        code = f"S{number:05d}"
        address = [f"Main street {number}", "01000", f"Town {nth}"]
        contact = ["en, de", "", f"{code.lower()}@shops.example", ""]
        place = [area, country, COUNTRIES[country], "shop"]
        tables["stores"].append([code, f"Shop {number}", *place, *address, "", *contact, "closed", "", "", "", ""])
        tables["hours"].append([code, *["09:00–13:00, 14:00–19:00"] * 5, "10:00–02:00", ""])
        tables["staff"].append([f"manager{number}@shops.example", f"Manager {number}", "store_manager", code, "en", ""])
    return tables


def workbook(tables: dict[str, Table], header: dict[str, list[str]] | None = None) -> bytes:
    """As a head office would send it."""
    out = io.BytesIO()
    book: Any = xlsxwriter.Workbook(out, {"constant_memory": True})
    for title, rows in tables.items():
        sheet = book.add_worksheet(title)
        names = (header or {}).get(title) or [column.name for column in SHEETS.get(title, ())]
        for y, cells in enumerate([names, *rows]):
            for x, cell in enumerate(cells):
                sheet.write(y, x, cell)
    book.close()
    return out.getvalue()


def text(sheet: str, rows: Table, *, delimiter: str = ",", columns: list[str] | None = None) -> bytes:
    names = columns or [column.name for column in SHEETS[sheet]]
    return "\n".join(delimiter.join(cells) for cells in [names, *rows]).encode()
