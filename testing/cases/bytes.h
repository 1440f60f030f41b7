/* SPDX-License-Identifier: BSD-2-Clause */
/* bytes.h - byte sequences that may confuse a decoder. */
#ifndef BYTES_H
#define BYTES_H

/* Sequences on which a careless decoder and a strict one differ. */
static char *const sequences[] = {
    "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 \xf4\x8f\xbf\xbf", /* valid: 2, 3 and 4 bytes, the last code point */
    "\xef\xbb\xbf \xef\xbf\xbe \xef\xbf\xbf \xc2\x80",         /* valid: BOM, noncharacters, a C1 control */
    "\xf4\x8f\x9e\x80 \xf4\x8f\x9f\xbf",                       /* the code points that encode bytes, literally */
    "\xf4\x8f\x9c\x81 \xf4\x8f\x9d\xbf \xf4\x8f\x9d\x80",      /* those just below, which encode nothing */
    "\xc0\x80 \xc1\xbf \xe0\x80\x80 \xe0\x9f\xbf",             /* overlong */
    "\xf0\x80\x80\x80 \xf0\x8f\xbf\xbf",                       /* overlong, of 4 bytes */
    "\xed\xa0\x80 \xed\xbf\xbf \xed\x9f\xbf",                  /* surrogates, and the last code point before them */
    "\xf4\x90\x80\x80 \xf5\x80\x80\x80 \xf8\x88\x80\x80\x80",  /* beyond the last code point */
    "\xc3",
    "\xe2\x82",
    "\xf0\x9f\x98",
    "\xe2\x82 \xf0\x9f",                          /* cut */
    "\xc3\xc3\xa9 \xe2\xe2\x82\xac \x80\xbf\xa9", /* a lead byte where a continuation is expected; no continuation */
    "\xfe\xff \xff\xfe",
    "\"\\/\b\f\n\r\t\x1b[2J\x7f \\u0041 \\\\\" \xe2\x80\xa8\xe2\x80\xa9",
};

/* All bytes from `first` to 255 in a row, except one. */
static char *bytes_but(char *buf, int first, int without)
{
    char *end = buf;

    for (int byte = first; byte < 256; byte++) {
        if (byte != without)
            *end++ = byte;
    }
    *end = '\0';
    return buf;
}

#endif
