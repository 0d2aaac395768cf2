// Tells DICOM, which is not read, so that its refusal can name the tool that converts it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace smpc::image {

// What to do with it: the end of a refusal.
constexpr const char* convert_dicom = "; convert the series with dcm2niix and give the .nii.gz file that it writes";

// What is_dicom needs of the beginning of a file.
constexpr std::size_t dicom_head_bytes = 132;

// "DICM" behind a preamble of 128 bytes (PS3.10, 7.1: every DICOM file and DICOMDIR), or no preamble and a first
// element of group 0002 or 0008 in little endian, as older tools wrote. The latter is a guess, good enough to choose
// the words for what is no NIfTI.
bool is_dicom(std::span<const std::byte> head) noexcept;

// Looks at the first 256 entries of a folder and of those within it, without following links to folders. Whatever
// cannot be read is passed over.
bool holds_dicom(const std::filesystem::path& folder);

}  // namespace smpc::image
