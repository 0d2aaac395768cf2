#include "smpc/report/report.h"

#include <algorithm>
#include <cmath>

#include "figure.h"
#include "smpc/base/text.h"
#include "smpc/image/grid_words.h"
#include "smpc/report/html.h"
#include "summary.h"
#include "volume_view.h"

namespace smpc {
namespace {

constexpr std::size_t most_shown = 5;

// A text of somebody else's, whose direction does not reach beyond it.
std::string foreign(const std::string& text) { return "<bdi>" + html_escape(text) + "</bdi>"; }

std::string row(const std::string& name, const std::string& value_html) {
  return "<tr><th scope=\"row\">" + name + "</th><td>" + value_html + "</td></tr>\n";
}

std::string row_unless_empty(const std::string& name, const std::string& text) {
  return text.empty() ? "" : row(name, foreign(text));
}

std::string code_row(const std::string& name, const std::string& text) {
  return text.empty() ? "" : row(name, "<code>" + html_escape(text) + "</code>");
}

std::optional<double> probability(const ReportContent& c) {
  return c.top.empty() ? std::nullopt : c.top.front().probability;
}

std::optional<double> value(const ReportContent& c) { return c.top.empty() ? std::nullopt : c.top.front().value; }

std::string volume_words(const ReportContent& c) {
  if (c.volumes == 1) return "";
  return "volume " + std::to_string(c.volume) + " (of " + grouped_text(c.volumes) + ", counted from 0)";
}

// The date, the time and the zone apart; the machine reads the text as it is.
std::string time_html(const std::string& time) {
  std::string shown = time;
  const std::size_t t = shown.find('T');
  if (t != std::string::npos) shown[t] = ' ';
  return "<time datetime=\"" + html_escape(time) + "\">" + html_escape(shown) + "</time>";
}

std::string heading_html(const ReportContent& c) {
  std::string out = "<header>\n<div>\n<p class=\"kind\">Brain network of one fMRI volume</p>\n<h1>" + foreign(c.label) +
                    "</h1>\n<p class=\"verdict\">";
  if (const auto p = probability(c)) {
    out += "Probability <b>" + html_escape(probability_text(*p)) + "</b>";
  } else if (const auto v = value(c)) {
    out += "Value <b>" + html_escape(number_text(*v)) + "</b>, the largest that the model gives";
  } else {
    out += "The model's owner reveals the label alone, so there is no probability.";
  }
  out += "</p>\n</div>\n<div class=\"about\">\n<p><b>" + foreign(c.scan) + "</b></p>\n";
  if (const std::string words = volume_words(c); !words.empty()) out += "<p>" + words + "</p>\n";
  if (!c.time.empty()) out += "<p>" + time_html(c.time) + "</p>\n";
  return out + "</div>\n</header>\n";
}

std::string cautions_html(const ReportContent& c) {
  if (c.cautions.empty()) return "";
  std::string out =
      "<section class=\"cautions\" aria-labelledby=\"cautions\">\n<h2 id=\"cautions\">Cautions</h2>\n<ul>\n";
  for (const std::string& sentence : c.cautions) out += "<li>" + html_escape(sentence) + "</li>\n";
  return out + "</ul>\n</section>\n";
}

std::string bar_html(const ReportClass& one) {
  std::string out = "<li><span class=\"name\">" + foreign(one.label) + "</span>";
  if (one.probability) {
    const double width = std::isfinite(*one.probability) ? std::clamp(*one.probability, 0.0, 1.0) * 100 : 0;
    out += " <span class=\"value\">" + html_escape(probability_text(*one.probability)) +
           "</span><span class=\"track\"><span class=\"fill\" style=\"width:" + number_text(width, 5) +
           "%\"></span></span>";
  } else if (one.value) {
    out += " <span class=\"value\">" + html_escape(number_text(*one.value)) + "</span>";
  }
  return out + "</li>\n";
}

std::string ranking_html(const ReportContent& c) {
  const std::size_t shown = std::min(most_shown, c.top.size());
  if (!probability(c) && !value(c)) {
    return "<section aria-labelledby=\"ranking\">\n<h2 id=\"ranking\">Network</h2>\n<ol class=\"bars\">\n" +
           bar_html({0, c.label, std::nullopt}) +
           "</ol>\n<p>Which other networks came close is not revealed to the client.</p>\n</section>\n";
  }
  const bool values = !probability(c);
  std::string out = std::string("<section aria-labelledby=\"ranking\">\n<h2 id=\"ranking\">") +
                    (values ? "Largest values" : "Likeliest networks") + "</h2>\n<ol class=\"bars\">\n";
  for (std::size_t i = 0; i < shown; ++i) out += bar_html(c.top[i]);
  const char* words = values      ? "These are the model's values as it gives them; what they mean, its owner says."
                      : c.softmax ? "Probabilities are the softmax of the model's scores."
                                  : "Probabilities are those that the model gives.";
  return out + "</ol>\n<p>" + words + "</p>\n</section>\n";
}

std::string grid_rows(const Grid& g) {
  std::string words = grid_words(g);
  for (std::size_t at; (at = words.find(" x ")) != std::string::npos;) words.replace(at, 3, "&nbsp;&times;&nbsp;");
  const auto first = [&](std::size_t axis) { return millimetres_text(g.affine[axis * 4 + 3]); };
  return row("Grid", words) + row("First voxel", "(" + first(0) + ", " + first(1) + ", " + first(2) + ")&nbsp;mm");
}

std::string scan_html(const ReportContent& c, const report::Summary& summary) {
  return "<section aria-labelledby=\"scan\">\n<h2 id=\"scan\">Scan</h2>\n<table class=\"facts\">\n" +
         grid_rows(c.grid) + row_unless_empty("Orientation", c.orientation) +
         row_unless_empty("Voxel size", c.voxel_size) +
         row("Values", number_text(summary.least) + " to " + number_text(summary.most)) +
         row_unless_empty("Resampling", c.resampling) + "</table>\n</section>\n";
}

std::string computation_html(const ReportContent& c) {
  return "<section aria-labelledby=\"computation\">\n<h2 id=\"computation\">Computation</h2>\n<table "
         "class=\"facts\">\n" +
         row_unless_empty("Model's server", c.server) + row_unless_empty("Client", c.client) +
         row_unless_empty("Dealer", c.dealer) + code_row("Program", c.program) + code_row("Mask", c.mask) +
         "</table>\n</section>\n";
}

std::string cost_html(const ReportContent& c) {
  std::string out =
      "<section aria-labelledby=\"cost\">\n<h2 id=\"cost\">Traffic and time</h2>\n<table class=\"numbers\">\n"
      "<thead><tr><th scope=\"col\">Phase</th><th scope=\"col\">Sent</th><th scope=\"col\">Received</th>"
      "<th scope=\"col\">Time</th></tr></thead>\n<tbody>\n";
  for (const ReportPhase& p : c.phases) {
    out += "<tr><th scope=\"row\">" + html_escape(p.name) + "</th><td>" + human_bytes(p.sent) + "</td><td>" +
           human_bytes(p.received) + "</td><td>" + (p.seconds ? seconds_text(*p.seconds) : "") + "</td></tr>\n";
  }
  return out + "</tbody>\n</table>\n<p>Seen from the client. The inference took " + grouped_text(c.messages) +
         " messages in sequence.</p>\n</section>\n";
}

std::string learned_html(const ReportContent& c) {
  const auto party = [](const char* name, const std::string& sentence) {
    return sentence.empty() ? ""
                            : "<div><dt>" + std::string(name) + "</dt><dd>" + html_escape(sentence) + "</dd></div>\n";
  };
  const std::string parties =
      party("Client", c.client_learned) + party("Model's owner", c.server_learned) + party("Dealer", c.dealer_learned);
  if (parties.empty()) return "";
  return "<section aria-labelledby=\"learned\">\n<h2 id=\"learned\">Who learned what</h2>\n<dl class=\"parties\">\n" +
         parties + "</dl>\n</section>\n";
}

std::string footer_html(const ReportContent& c) {
  return "<footer>\n<p><b>Research software, not a medical device.</b> Not for diagnosis or treatment.</p>\n<p>" +
         html_escape(c.version) + (c.version.empty() ? "" : ". ") +
         "Brain in the background: MNI152, &copy; 1993-2009 Louis Collins, McConnell Brain Imaging Centre, Montreal "
         "Neurological Institute, McGill University.</p>\n</footer>\n";
}

}  // namespace

std::string report_html(const ReportContent& c) {
  const report::VolumeView volume(c.voxels, c.grid);
  const report::Summary summary = report::summarise(volume);
  const std::string body = heading_html(c) + "<main>\n" + cautions_html(c) + "<div class=\"result\">\n" +
                           report::figures_html(volume, summary) + "<div class=\"beside\">\n" + ranking_html(c) +
                           scan_html(c, summary) + "</div>\n</div>\n<div class=\"pair\">\n" + computation_html(c) +
                           cost_html(c) + "</div>\n" + learned_html(c) + "</main>\n" + footer_html(c);
  return html_document({c.label + " - " + c.scan, c.version, body});
}

}  // namespace smpc
