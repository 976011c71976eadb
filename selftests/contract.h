/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of the contract share: what the patched function shows now,
 * and the tests that have a file of their own.
 */
#ifndef _CONTRACT_H
#define _CONTRACT_H

#define BASE_LEVEL	5
#define RAISED_LEVEL	15

/* Read what the patched function shows, for val(), num() and ptr(). */
void show(void);
const char *shown(void);
const char *val(const char *key);
long num(const char *key);
unsigned long ptr(const char *key);

void test_random(void);

#endif /* _CONTRACT_H */
