#include "completion.h"

#include <algorithm>

namespace smpc::tools {
namespace {

// "prefetch/--count": how the script names an option of a command. An option of the tool itself is taken by every
// command, so that its pattern is "*/--server"; those stand behind the commands' own.
std::string pattern(const std::string& scope, const OptionText& option) {
  std::string out;
  for (const std::string& name : option.names) out += (out.empty() ? "" : "|") + scope + "/" + name;
  return out;
}

struct Scoped {
  std::string scope;  // "prefetch", or "*"
  const OptionText* option;
};

std::vector<Scoped> all_options(const CommandText& command) {
  std::vector<Scoped> out;
  for (const CommandText& sub : command.commands) {
    for (const OptionText& option : sub.options) out.push_back({sub.word, &option});
  }
  for (const OptionText& option : command.options) out.push_back({"*", &option});
  return out;
}

// What completes a value: words, or readline's own completion of files or folders.
std::string completing(const OptionText& option) {
  if (!option.choices.empty()) {
    std::string words;
    for (const std::string& choice : option.choices) words += (words.empty() ? "" : " ") + choice;
    return "words='" + words + "'";
  }
  if (option.kind == "FILE") return "compopt -o default";
  if (option.kind == "DIR") return "compopt -o dirnames";
  return {};
}

// --help is the tool's own as well.
std::string option_words(const CommandText& command, bool help) {
  std::string out;
  for (const OptionText& option : command.options) {
    if (option.group == help_group && !help) continue;
    for (const std::string& name : option.names) out += (out.empty() ? "" : " ") + name;
  }
  return out;
}

std::string values_cases(const CommandText& command) {
  std::string out;
  for (const auto& [scope, option] : all_options(command)) {
    if (option->values > 0) out += "          " + pattern(scope, *option) + ") need=" + std::to_string(option->values) + " ;;\n";
  }
  return out;
}

std::string value_cases(const CommandText& command) {
  std::string out;
  for (const auto& [scope, option] : all_options(command)) {
    const std::string action = completing(*option);
    if (!action.empty()) out += "      " + pattern(scope, *option) + ") " + action + " ;;\n";
  }
  return out;
}

std::string option_cases(const CommandText& command) {
  std::string out;
  for (const CommandText& sub : command.commands) {
    out += "      " + sub.word + ") words='" + option_words(sub, false) + "' ;;\n";
  }
  return out;
}

std::string place_cases(const CommandText& command, const std::string& scope) {
  std::string out;
  for (std::size_t i = 0; i < command.positionals.size(); ++i) {
    const std::string action = completing(command.positionals[i]);
    if (!action.empty()) out += "      " + scope + "/" + std::to_string(i) + ") " + action + " ;;\n";
  }
  return out;
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size()) text.replace(at, what.size(), by);
  return text;
}

// TOOL, NAME and the CAPITALS in braces are filled in. COMP_WORDS cuts at = and at :, so --option=value and HOST:PORT are
// three words each.
constexpr const char* script = R"(# Completion of TOOL in bash. Made by TOOL --print-bash-completion.
NAME() {
  local word words='' command='' option='' i place=0 need=0 cur=${COMP_WORDS[COMP_CWORD]}
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    case $word in
      =) ;;
      :) ((++i)) ;;
      -?*)
        option=$word need=0
        case $command/$option in
{VALUES}          *) ;;
        esac
        ;;
      *)
        if ((need > 0)); then
          ((--need))
        elif [[ -z $command && place -eq 0 && ' {COMMANDS} ' == *" $word "* ]]; then
          command=$word
        else
          ((++place))
        fi
        ;;
    esac
  done
  [[ $cur == : || ${COMP_WORDS[COMP_CWORD - 1]} == : ]] && return
  [[ $cur == = ]] && cur=''
  if [[ $cur == -* ]]; then
    case $command in
{OPTIONS}      *) ;;
    esac
    words+=' {GLOBAL}'
  elif ((need > 0)); then
    case $command/$option in
{VALUE}      *) ;;
    esac
  else
    case $command/$place in
{PLACES}      *) ;;
    esac
    [[ -z $command && place -eq 0 ]] && words+=' {COMMANDS}'
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -F NAME TOOL
)";

}  // namespace

std::string bash_completion(const CommandText& command) {
  std::string commands;
  std::string places = place_cases(command, "");
  for (const CommandText& sub : command.commands) {
    commands += (commands.empty() ? "" : " ") + sub.word;
    places += place_cases(sub, sub.word);
  }
  std::string out = replaced(script, "TOOL", command.name);
  out = replaced(out, "NAME", replaced("_" + command.name, "-", "_"));
  out = replaced(out, "{VALUES}", values_cases(command));
  out = replaced(out, "{OPTIONS}", option_cases(command));
  out = replaced(out, "{GLOBAL}", option_words(command, true));
  out = replaced(out, "{VALUE}", value_cases(command));
  out = replaced(out, "{PLACES}", places);
  return replaced(out, "{COMMANDS}", commands);
}

}  // namespace smpc::tools
