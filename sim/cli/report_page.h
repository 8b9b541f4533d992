/*
 * The parts of a report's page that are always the same: how it looks, and how its table sorts and
 * filters. Plain JavaScript; nothing is fetched from anywhere.
 */
#ifndef EW_CLI_REPORT_PAGE_H
#define EW_CLI_REPORT_PAGE_H

/** A style element. */
extern const char ew_report_style[];

/** The content of the script element, line by line up to NULL. Reads the JSON in #data: columns,
 * filters (names of columns) and rows (numbers, texts or null); fills #head, #body, #filters,
 * #count; with #self-check as the page's hash it tries its own controls and writes the outcome into
 * #self. */
extern const char *const ew_report_script[];

#endif
