/* The library of this name, which Rust's programs for Windows take random numbers from, and which Debian's Wine 8 lacks.
   Only tests under Wine use it. */
#include <windows.h>
#include <ntsecapi.h>

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T size) {
    return size <= MAXDWORD && RtlGenRandom(data, (ULONG)size);
}
