/** How files are recognised that charnn itself wrote. */

/** In the head of every page of a report, within its first thousand bytes. */
export const PAGE_MARKER = '<meta name="generator" content="charnn">';
