# cmake -DINPUT=file -DOUTPUT=file.cc -DNAME=function -P embed.cmake
#
# Writes a C++ source whose function smpc::report::NAME gives the bytes of INPUT. Nothing but the language is needed, so
# every compiler takes it, and the same input gives the same source.
file(READ ${INPUT} digits HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${digits}")
string(REPEAT "0x..," 24 line)
string(REGEX REPLACE "(${line})" "\\1\n" bytes "${bytes}")
get_filename_component(file ${INPUT} NAME)
file(WRITE ${OUTPUT}.new "// ${file}, by embed.cmake.
#include \"embedded.h\"

namespace smpc::report {
namespace {
constexpr unsigned char ${NAME}_content[] = {
${bytes}};
}

ByteView ${NAME}() noexcept { return std::as_bytes(std::span(${NAME}_content)); }

}  // namespace smpc::report
")
file(RENAME ${OUTPUT}.new ${OUTPUT})
