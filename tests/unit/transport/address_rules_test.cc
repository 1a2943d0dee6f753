#include "engine/transport/address_rules.h"

#include <gtest/gtest.h>

#include <vector>

namespace skald {
namespace {

/// What the whole check says of a URL whose host, if it is a name, resolves to `resolved`.
bool allowed(const AddressRules& rules, std::string_view url, std::string_view resolved = "") {
  const auto parsed = parse_http_url(url);
  if (!parsed) return false;
  const auto literal = literal_address(parsed->host);
  const auto address = literal ? literal : IpAddress::parse(resolved);
  return address && rules.check(*parsed, *address).has_value();
}

AddressRules rules_of(const std::vector<std::string>& rules) {
  return AddressRules::parse(rules).value();
}

TEST(ParseHttpUrl, ReadsHostPortAndPrefix) {
  struct Vector {
    std::string url;
    HttpUrl expected;
  };
  for (const auto& [url, expected] : std::vector<Vector>{
           {"http://127.0.0.1:9903", {"127.0.0.1", 9903, ""}},
           {"http://127.0.0.1", {"127.0.0.1", 80, ""}},
           {"HTTP://Inventory.Internal:8080/", {"inventory.internal", 8080, ""}},
           {"http://a_b-c.d1:65535/base/path//", {"a_b-c.d1", 65535, "/base/path"}},
           {"http://[::1]:1", {"[::1]", 1, ""}},
           {"http://[2001:DB8::1]", {"[2001:db8::1]", 80, ""}},
           {"http://localhost/a%20b", {"localhost", 80, "/a%20b"}},
           {"http://10.0.0.1.example", {"10.0.0.1.example", 80, ""}},
       }) {
    const auto parsed = parse_http_url(url);
    ASSERT_TRUE(parsed.has_value()) << url << ": " << parsed.error().message;
    EXPECT_EQ(*parsed, expected) << url;
  }
}

TEST(ParseHttpUrl, RefusesWhatCouldBeReadInTwoWays) {
  for (const std::string url : {
           // schemes
           "",
           "127.0.0.1:80",
           "//127.0.0.1",
           "https://127.0.0.1",
           "ftp://127.0.0.1",
           "file:///etc/passwd",
           "gopher://127.0.0.1",
           "http:/127.0.0.1",
           "http:127.0.0.1",
           "javascript:alert(1)",
           " http://127.0.0.1",
           "http ://127.0.0.1",
           // user information, fragments, queries, backslashes
           "http://user@127.0.0.1",
           "http://user:pass@127.0.0.1",
           "http://127.0.0.1@169.254.169.254",
           "http://127.0.0.1:80@169.254.169.254",
           "http://127.0.0.1#@169.254.169.254",
           "http://127.0.0.1?@169.254.169.254",
           "http://127.0.0.1\\@169.254.169.254",
           "http://127.0.0.1/#x",
           "http://127.0.0.1/?x=y",
           "http://127.0.0.1\\x",
           // control and other characters
           "http://127.0.0.1/\r\nHost: x",
           "http://127.0.0.1\r\n",
           "http://127.0.0.1/a b",
           "http://127.0.0.1/\t",
           "http://127.0.0.1/\x7F",
           "http://127.0.0.1/\xC3\xA9",
           "http://\xEF\xBC\x91\x32\x37.0.0.1",
           "http://127.0.0.1%2f",
           "http://%31%32%37.0.0.1",
           "http://127\xE3\x80\x82"
           "0.0.1",
           // numbers that some programs take for an address
           "http://2130706433",
           "http://017700000001",
           "http://0x7f000001",
           "http://0x7f.0.0.1",
           "http://0X7F.1",
           "http://0177.0.0.1",
           "http://127.1",
           "http://127.0.1",
           "http://127.0.0.01",
           "http://127.0.0.256",
           "http://127.0.0.1.1",
           "http://1.2.3",
           "http://0",
           "http://127.0.0.",
           "http://.127.0.0.1",
           "http://a.0x7f",
           "http://example.123",
           // hosts
           "http://",
           "http:///x",
           "http://:80",
           "http://a..b",
           "http://-a",
           "http://a-",
           "http://a.",
           "http://a b",
           "http://a*b",
           "http://*",
           "http://a,b",
           "http://a;b",
           "http://a!b",
           "http://[::1",
           "http://::1",
           "http://[::1]x",
           "http://[::1]80",
           "http://[127.0.0.1]",
           "http://[]",
           "http://[fe80::1%eth0]",
           "http://[fe80::1%25eth0]",
           "http://[1:2:3]",
           "http://[::1]]",
           "http://[[::1]]",
           "http://[v1.x]",
           // ports
           "http://a:",
           "http://a:0",
           "http://a:00080",
           "http://a:65536",
           "http://a:-1",
           "http://a:+1",
           "http://a:80x",
           "http://a:0x50",
           "http://a:1:2",
           "http://a:999999",
       }) {
    const auto parsed = parse_http_url(url);
    ASSERT_FALSE(parsed.has_value()) << url;
    EXPECT_EQ(parsed.error().code, Errc::invalid_argument);
  }
  EXPECT_FALSE(parse_http_url("http://" + std::string(64, 'a')));
  EXPECT_FALSE(parse_http_url("http://a/" + std::string(kUrlBytesMax, 'a')));
  EXPECT_FALSE(parse_http_url(std::string("http://a\0b", 10)));
}

TEST(CheckPath, TakesPathsThatARequestLineCanCarry) {
  for (const std::string path : {"/", "/a.B/C", "/a?b=c", "/%20"}) {
    EXPECT_TRUE(check_path(path)) << path;
  }
  for (const std::string path :
       {"", "a", "/a b", "/a\r\nX: y", "/a\n", "/#f", "/\x7F", "/\xC3\xA9", "http://x/"}) {
    EXPECT_FALSE(check_path(path)) << path;
  }
}

TEST(IpAddress, HasOneSpelling) {
  EXPECT_EQ(IpAddress::parse("::ffff:10.1.2.3"), IpAddress::parse("10.1.2.3"));
  EXPECT_EQ(IpAddress::parse("::FFFF:0a01:0203")->text(), "10.1.2.3");
  EXPECT_EQ(IpAddress::parse("2001:0db8:0:0:0:0:0:1")->text(), "2001:db8::1");
  for (const std::string text :
       {"", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.4 ", " 1.2.3.4", "+1.2.3.4", "1.2.3.256",
        "1..3.4", "0x1.2.3.4", "::g", ":::", "fe80::1%lo", "1.2.3.4/8"}) {
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  }
}

TEST(IpRange, HoldsWhatItsPrefixSays) {
  const auto range = [](std::string_view text) { return IpRange::parse(text).value(); };
  const auto ip = [](std::string_view text) { return IpAddress::parse(text).value(); };
  EXPECT_TRUE(range("10.0.0.0/8").contains(ip("10.255.255.255")));
  EXPECT_FALSE(range("10.0.0.0/8").contains(ip("11.0.0.0")));
  EXPECT_TRUE(range("172.16.0.0/12").contains(ip("172.31.0.1")));
  EXPECT_FALSE(range("172.16.0.0/12").contains(ip("172.32.0.1")));
  EXPECT_TRUE(range("0.0.0.0/0").contains(ip("8.8.8.8")));
  EXPECT_FALSE(range("0.0.0.0/0").contains(ip("2001:db8::1")));
  EXPECT_FALSE(range("::/0").contains(ip("8.8.8.8")));
  EXPECT_TRUE(range("fd00::/8").contains(ip("fdff::1")));
  EXPECT_TRUE(range("::ffff:10.0.0.0/104").contains(ip("10.1.1.1")));
  for (const std::string text : {"10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/08",
                                 "10.0.0.0/", "/8", "fd00::/129", "10.0/8"}) {
    EXPECT_FALSE(IpRange::parse(text)) << text;
  }
}

TEST(AddressRules, LoopbackIsAllowedByDefaultAndNothingElse) {
  const AddressRules rules;
  for (const std::string url :
       {"http://127.0.0.1", "http://127.9.9.9:1", "http://[::1]:9", "http://[::ffff:127.0.0.1]"}) {
    EXPECT_TRUE(allowed(rules, url)) << url;
  }
  EXPECT_TRUE(allowed(rules, "http://localhost", "127.0.0.1"));
  EXPECT_TRUE(allowed(rules, "http://localhost", "::1"));
  for (const std::string url : {"http://0.0.0.0",
                                "http://[::]",
                                "http://10.0.0.1",
                                "http://192.168.0.1",
                                "http://172.16.0.1",
                                "http://169.254.169.254",
                                "http://[::ffff:169.254.169.254]",
                                "http://[::ffff:a9fe:a9fe]",
                                "http://[fe80::1]",
                                "http://[fd00:ec2::254]",
                                "http://100.100.100.200",
                                "http://168.63.129.16",
                                "http://8.8.8.8",
                                "http://[2001:db8::1]",
                                "http://[::ffff:10.0.0.1]",
                                "http://[::127.0.0.1]",
                                "http://[64:ff9b::7f00:1]",
                                "http://[2002:7f00:1::]",
                                "http://224.0.0.1",
                                "http://255.255.255.255",
                                "http://[ff02::1]"}) {
    EXPECT_FALSE(allowed(rules, url)) << url;
  }
  for (const std::string address :
       {"169.254.169.254", "10.0.0.1", "0.0.0.0", "::ffff:169.254.169.254"}) {
    EXPECT_FALSE(allowed(rules, "http://rebound.example", address)) << address;
  }
}

TEST(AddressRules, AWideRangeDoesNotOpenGuardedAddresses) {
  const AddressRules rules = rules_of({"0.0.0.0/0", "[::]/0"});
  for (const std::string url : {"http://8.8.8.8", "http://10.0.0.1", "http://[2001:db8::1]"}) {
    EXPECT_TRUE(allowed(rules, url)) << url;
  }
  for (const std::string url :
       {"http://127.0.0.1", "http://[::1]", "http://0.0.0.0", "http://169.254.169.254",
        "http://169.254.0.1", "http://[fe80::1]", "http://[fd00:ec2::254]",
        "http://100.100.100.200", "http://168.63.129.16", "http://192.0.0.192", "http://224.0.0.1",
        "http://[ff02::1]", "http://255.255.255.255", "http://[::ffff:127.0.0.1]",
        "http://[::ffff:169.254.169.254]", "http://[::7f00:1]", "http://[64:ff9b::a9fe:a9fe]",
        "http://[2002:a9fe:a9fe::]", "http://[2001:0:a::1]"}) {
    EXPECT_FALSE(allowed(rules, url)) << url;
  }
}

TEST(AddressRules, AGuardedAddressIsOpenedByARuleOfItsOwn) {
  EXPECT_TRUE(allowed(rules_of({"169.254.169.254"}), "http://169.254.169.254"));
  EXPECT_TRUE(allowed(rules_of({"169.254.0.0/16"}), "http://169.254.169.254"));
  EXPECT_TRUE(allowed(rules_of({"127.0.0.0/8"}), "http://127.0.0.1"));
  EXPECT_TRUE(allowed(rules_of({"[fe80::]/10"}), "http://[fe80::1]"));
  EXPECT_FALSE(allowed(rules_of({"168.0.0.0/6"}), "http://169.254.169.254"));
}

TEST(AddressRules, ANameVouchesForOrdinaryAddressesOnly) {
  const AddressRules rules = rules_of({"inventory.internal:8080", "*.svc.internal"});
  EXPECT_TRUE(allowed(rules, "http://inventory.internal:8080", "10.0.0.7"));
  EXPECT_TRUE(allowed(rules, "http://INVENTORY.internal:8080", "10.0.0.7"));
  EXPECT_TRUE(allowed(rules, "http://a.svc.internal", "10.0.0.7"));
  EXPECT_TRUE(allowed(rules, "http://a.b.svc.internal:9", "2001:db8::1"));
  EXPECT_FALSE(allowed(rules, "http://inventory.internal", "10.0.0.7"));
  EXPECT_FALSE(allowed(rules, "http://svc.internal", "10.0.0.7"));
  EXPECT_FALSE(allowed(rules, "http://evilsvc.internal", "10.0.0.7"));
  EXPECT_FALSE(allowed(rules, "http://a.svc.internal.evil.example", "10.0.0.7"));
  EXPECT_FALSE(allowed(rules, "http://10.0.0.7:8080"));
  for (const std::string address : {"127.0.0.1", "::1", "169.254.169.254", "0.0.0.0",
                                    "::ffff:127.0.0.1", "fe80::1", "fd00:ec2::254"}) {
    EXPECT_FALSE(allowed(rules, "http://inventory.internal:8080", address)) << address;
  }
}

TEST(AddressRules, PortsBoundARule) {
  const AddressRules rules = rules_of({"10.0.0.0/8:8000-8080", "[::1]:7000", "10.9.9.9:1"});
  EXPECT_TRUE(allowed(rules, "http://10.0.0.1:8000"));
  EXPECT_TRUE(allowed(rules, "http://10.0.0.1:8080"));
  EXPECT_FALSE(allowed(rules, "http://10.0.0.1:7999"));
  EXPECT_FALSE(allowed(rules, "http://10.0.0.1:8081"));
  EXPECT_TRUE(allowed(rules, "http://[::1]:7000"));
  EXPECT_FALSE(allowed(rules, "http://[::1]:7001"));
  EXPECT_TRUE(allowed(rules, "http://10.9.9.9:1"));
}

TEST(AddressRules, AnEmptyListAllowsNothing) {
  EXPECT_FALSE(allowed(rules_of({}), "http://127.0.0.1"));
}

TEST(AddressRules, NamesTheRuleItCannotRead) {
  for (const std::string rule :
       {"", "10.0.0.1/8", "10.0.0.0/40", "*", "*.", "a*b", "*.*.x", "a:0", "a:x", "a:9-8", "a:1-",
        "[::1", "0x7f.1", "2130706433", "http://a", "a b", "10.0.0.0/8:80:90", "::1:80x"}) {
    const auto parsed = AddressRules::parse(std::vector<std::string>{rule});
    ASSERT_FALSE(parsed.has_value()) << rule;
    EXPECT_EQ(parsed.error().code, Errc::invalid_argument);
    EXPECT_NE(parsed.error().message.find("\"" + rule + "\""), std::string::npos);
  }
}

TEST(AddressRules, SaysWhatToConfigure) {
  const auto refused =
      AddressRules().check(*parse_http_url("http://db.internal:1"), *IpAddress::parse("10.0.0.1"));
  EXPECT_EQ(refused.error().message,
            "calling db.internal:1 at 10.0.0.1 is not allowed; add a rule to participants.allow if "
            "it should be");
}

}  // namespace
}  // namespace skald
