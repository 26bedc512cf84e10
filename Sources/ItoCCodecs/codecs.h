// zlib for Swift. The picture libraries report errors by longjmp, which Swift cannot survive: they
// are called by the C target ItoCImages, which takes their compiler and linker flags from here.
#pragma once
#include <zlib.h>
