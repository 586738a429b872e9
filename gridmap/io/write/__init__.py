"""Results out: tables, the workbook, and the styles by which QGIS draws them; each whole or not at all."""
