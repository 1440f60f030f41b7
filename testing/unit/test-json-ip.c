// SPDX-License-Identifier: BSD-2-Clause
/* test-json-ip.c - addresses: known ones, and many compared with the C library. */
#include <arpa/inet.h>
#include <string.h>

#include "JsonText.h"
#include "check.h"
#include "record-build.h"

/* Return the text that is written for an address. */
static const char *written(const struct ebpf_ip *ip)
{
    static char text[64];

    *ebpf_json__write_ip(text, ip) = '\0';
    return text;
}

static void test_known(void)
{
    static const struct {
        const char *address, *want;
    } known[] = {
        {"::ffff:127.0.0.1", "127.0.0.1"},
        {"::ffff:0.0.0.0", "0.0.0.0"},
        {"::ffff:255.255.255.255", "255.255.255.255"},
        {"::ffff:10.99.100.9", "10.99.100.9"},
        {"::", "::"},
        {"::1", "::1"},
        {"1::", "1::"},
        {"fe80::1:2", "fe80::1:2"},
        {"2001:db8::1", "2001:db8::1"},
        {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
        {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
        {"0:1:1:1:1:1:1:1", "0:1:1:1:1:1:1:1"},
        {"1:1:1:1:1:1:0:0", "1:1:1:1:1:1::"},
        {"0:0:1:1:1:1:0:0", "::1:1:1:1:0:0"},
        {"ABCD:EF01:2345:6789:abcd:ef01:2345:6789", "abcd:ef01:2345:6789:abcd:ef01:2345:6789"},
        {"::fffe:1.2.3.4", "::fffe:102:304"},
        {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
    };
    struct ebpf_ip ip;

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (CHECK(inet_pton(AF_INET6, known[i].address, &ip) == 1))
            CHECK_SAME(written(&ip), known[i].want);
    }
}

/* Half of the groups are zero, so that runs of zeros have every length and every position. */
static void test_random(void)
{
    uint64_t state = 1;

    for (int i = 0; i < 200000; i++) {
        unsigned short groups[8];
        struct ebpf_ip ip, back;
        char want[64];
        uint64_t zeros = random__next(&state);

        for (int g = 0; g < 8; g++)
            groups[g] = zeros >> g & 1 ? 0 : (unsigned short)(random__next(&state) >> (zeros >> (8 + 2 * g) & 15));
        memcpy(&ip, groups, sizeof(ip));
        /* which the C library writes with dots */
        if (!ip.words[0] && !ip.words[1] && (!ip.words[2] || ip.words[2] == htonl(0xffff)))
            continue;
        inet_ntop(AF_INET6, &ip, want, sizeof(want));
        if (!CHECK_SAME(written(&ip), want) || !CHECK(inet_pton(AF_INET6, written(&ip), &back) == 1) ||
            !CHECK(!memcmp(&ip, &back, sizeof(ip))))
            return;
    }
}

/* Every value of a byte of IPv4. */
static void test_ipv4(void)
{
    for (unsigned int i = 0; i < 256; i++) {
        struct ebpf_ip ip = {{0, 0, htonl(0xffff), htonl(i << 24 | (255 - i) << 16 | (i ^ 0x55) << 8 | i)}};
        char want[64];

        inet_ntop(AF_INET, &ip.words[3], want, sizeof(want));
        CHECK_SAME(written(&ip), want);
    }
}

int main(void)
{
    test_known();
    test_random();
    test_ipv4();
    return check__report();
}
