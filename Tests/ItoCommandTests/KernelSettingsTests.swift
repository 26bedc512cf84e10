import Testing

@testable import ItoCommand

@Suite struct KernelSettingsTests {
  @Test(
    "what is not understood is named with what could be said instead",
    arguments: [
      ("ITO_STRASSEN", "off", "0 or 1"), ("ITO_ISA", "AVX2", "portable, avx2, avx512 or"),
      ("ITO_WINOGRAD", "3", "0, 2 or 4"), ("ITO_BF16_PAIRS", "2", "0 or 1"),
      ("ITO_THREADS", "two", "at least 1"), ("ITO_THREADS", "0", "at least 1"),
      ("ITO_THREADS", "99999999999", "at least 1"),
    ])
  func refused(_ name: String, _ value: String, _ advice: String) throws {
    let complaint = try #require(KernelSettings.complaint { $0 == name ? value : nil })
    #expect(complaint.contains("\(name) is '\(value)'") && complaint.contains(advice))
  }

  @Test(
    "what is understood, empty or not there passes",
    arguments: [
      ("ITO_STRASSEN", "0"), ("ITO_ISA", "avx512-bf16"), ("ITO_WINOGRAD", "2"),
      ("ITO_THREADS", "3"), ("ITO_THREADS", ""), ("ITO_OTHER", "x"),
    ])
  func passes(_ name: String, _ value: String) {
    #expect(KernelSettings.complaint { $0 == name ? value : nil } == nil)
  }
}
