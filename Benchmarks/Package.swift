// swift-tools-version:6.1
import PackageDescription

let package = Package(
  name: "ItoBenchmarks",
  products: [.executable(name: "ito-benchmarks", targets: ["ItoBenchmarks"])],
  dependencies: [
    .package(name: "Ito", path: ".."),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
  ],
  targets: [
    .executableTarget(
      name: "ItoBenchmarks",
      dependencies: [
        "OneDNNDirect", .product(name: "Ito", package: "Ito"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
      ]),
    .target(
      name: "OneDNNDirect", path: "peers/onednn",
      linkerSettings: [.linkedLibrary("dnnl"), .linkedLibrary("gomp")]),
  ],
  swiftLanguageModes: [.v6],
  cxxLanguageStandard: .cxx17
)
