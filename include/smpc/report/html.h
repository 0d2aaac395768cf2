// What the report's page and a study's index are made of, so that they look alike.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace smpc {

// One line for a text or an attribute in quotes: made printable (base/text.h), then escaped.
std::string html_escape(std::string_view text);

// A whole document: HTML5, in English, with the style sheet (src/report/style.css: screen, dark and print) and a policy
// under which a browser loads nothing and runs no script. `body` is HTML; the others are text.
struct HtmlPage {
  std::string title;
  std::string generator;  // the tool and its version
  std::string body;
};
std::string html_document(const HtmlPage& page);

// "-46", "2.314", "30390", "1.2e-07": `digits` significant digits, no zeros at the end; an exponent for what is smaller
// than 0.0001, or 10,000,000 and more.
std::string number_text(double value, int digits = 4);
std::string millimetres_text(double mm);        // "-46", "2.25": without the unit, two decimals at most
std::string grouped_text(std::uint64_t value);  // "109,350"
std::string probability_text(double p);         // "0.9998", "< 0.0001", "> 0.9999"
std::string seconds_text(double seconds);       // "0.014 s", "12.3 s", "3 min 5 s"

}  // namespace smpc
