"""Report: results as printed pages, one report for leaders and an atlas with one page a grid.

In: a plan and a cover. Out: one HTML file that prints and needs neither network nor script, or the same as PDF.
Pages are lists of plain blocks (`blocks`), which `html_pages` and `pdf_pages` write.
"""
