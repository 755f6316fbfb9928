"""What every report is made of: one HTML page without script, in sections."""

from .html import cell, heading, listing, note, numbers, save_page, table
from .pictures import chart, gallery, pair, picture, row
from .sections import settings, training
