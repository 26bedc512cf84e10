// swift-tools-version:6.1
import PackageDescription

let settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
]

let package = Package(
  name: "Ito",
  products: [
    .library(name: "Ito", targets: ["Ito"]),
    .executable(name: "ito", targets: ["ItoCommand"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.0.0"),
  ],
  targets: [
    // Layer 0: native kernels, and options.
    .target(name: "ItoCKernels", linkerSettings: [.linkedLibrary("gomp"), .linkedLibrary("m")]),
    .target(
      name: "ItoCOneDNN", dependencies: ["ItoCKernels"],
      linkerSettings: [.linkedLibrary("dnnl")]),
    .systemLibrary(
      name: "ItoCCodecs", pkgConfig: "libpng libjpeg libwebp zlib",
      providers: [.apt(["libpng-dev", "libjpeg-dev", "libwebp-dev", "zlib1g-dev"])]),
    .target(
      name: "ItoCImages", dependencies: ["ItoCCodecs"],
      linkerSettings: [.linkedLibrary("png"), .linkedLibrary("jpeg"), .linkedLibrary("webp")]),
    .target(name: "ItoComponents", swiftSettings: settings),
    .target(name: "ItoCHub", linkerSettings: [.linkedLibrary("dl")]),
    // Of the tests only: counts what they allocate.
    .target(name: "ItoCAllocations"),

    // Layer 1
    .target(
      name: "ItoTensors", dependencies: ["ItoCKernels", "ItoCOneDNN"], swiftSettings: settings),
    .target(name: "ItoTokenizers", dependencies: ["ItoComponents"], swiftSettings: settings),

    .target(name: "ItoHub", dependencies: ["ItoComponents", "ItoCHub"], swiftSettings: settings),

    // Layer 2
    .target(name: "ItoModules", dependencies: ["ItoTensors"], swiftSettings: settings),
    .target(
      name: "ItoImages", dependencies: ["ItoTensors", "ItoComponents", "ItoCImages", "ItoCCodecs"],
      swiftSettings: settings),

    // Layer 3
    .target(
      name: "ItoDiffusion",
      dependencies: [
        "ItoModules", "ItoTensors", "ItoComponents",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: settings),
    .target(
      name: "ItoCheckpoints",
      dependencies: ["ItoModules", "ItoTensors", "ItoComponents", "ItoCHub"],
      swiftSettings: settings),

    // Layer 4
    .target(
      name: "ItoModels",
      dependencies: [
        "ItoDiffusion", "ItoCheckpoints", "ItoModules", "ItoTensors", "ItoComponents",
      ],
      swiftSettings: settings),
    .target(
      name: "ItoTraining",
      dependencies: [
        "ItoDiffusion", "ItoCheckpoints", "ItoModules", "ItoTensors", "ItoComponents", "ItoImages",
        "ItoCCodecs",
      ],
      swiftSettings: settings),
    .target(
      name: "ItoTestSupport", dependencies: ["ItoDiffusion", "ItoModules", "ItoTensors"],
      swiftSettings: settings),

    // Layer 5
    .target(
      name: "ItoPipelines",
      dependencies: [
        "ItoModels", "ItoCheckpoints", "ItoDiffusion", "ItoImages", "ItoModules", "ItoTensors",
        "ItoTokenizers", "ItoComponents",
      ],
      swiftSettings: settings),

    // Layer 6
    .executableTarget(
      name: "ItoCommand",
      dependencies: [
        "ItoHub", "ItoPipelines", "ItoTraining", "ItoModels", "ItoCheckpoints", "ItoDiffusion",
        "ItoImages",
        "ItoModules", "ItoTensors", "ItoTokenizers", "ItoComponents",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Yams", package: "Yams"),
      ],
      swiftSettings: settings),
    .target(
      name: "Ito",
      dependencies: [
        "ItoHub", "ItoPipelines", "ItoTraining", "ItoModels", "ItoCheckpoints", "ItoDiffusion",
        "ItoImages",
        "ItoModules", "ItoTensors", "ItoTokenizers", "ItoComponents",
      ],
      swiftSettings: settings),

    .testTarget(
      name: "ItoComponentsTests", dependencies: ["ItoComponents", "ItoCAllocations"],
      swiftSettings: settings),
    .testTarget(
      name: "ItoHubTests", dependencies: ["ItoHub", "ItoComponents", "ItoCHub", "ItoCAllocations"],
      swiftSettings: settings),
    .testTarget(
      name: "ItoTensorsTests", dependencies: ["ItoTensors", "ItoTestSupport", "ItoCKernels"],
      swiftSettings: settings),
    .testTarget(
      name: "ItoTokenizersTests",
      dependencies: ["ItoTokenizers", "ItoComponents", "ItoTestSupport", "ItoCAllocations"],
      swiftSettings: settings),
    .testTarget(
      name: "ItoModulesTests", dependencies: ["ItoModules", "ItoTensors", "ItoTestSupport"],
      swiftSettings: settings),
    .testTarget(
      name: "ItoImagesTests",
      dependencies: ["ItoImages", "ItoTensors", "ItoComponents", "ItoCCodecs", "ItoCAllocations"],
      swiftSettings: settings),
    .testTarget(
      name: "ItoCheckpointsTests",
      dependencies: [
        "ItoCheckpoints", "ItoModules", "ItoTensors", "ItoComponents", "ItoTestSupport",
        "ItoCAllocations",
      ],
      swiftSettings: settings),
    .testTarget(
      name: "ItoDiffusionTests",
      dependencies: [
        "ItoDiffusion", "ItoCheckpoints", "ItoModules", "ItoTensors", "ItoComponents",
        "ItoTestSupport",
      ],
      swiftSettings: settings),
    .testTarget(
      name: "ItoModelsTests",
      dependencies: [
        "ItoModels", "ItoDiffusion", "ItoCheckpoints", "ItoModules", "ItoTensors", "ItoTestSupport",
      ],
      swiftSettings: settings),
    .testTarget(
      name: "ItoTrainingTests",
      dependencies: [
        "ItoTraining", "ItoModels", "ItoDiffusion", "ItoCheckpoints", "ItoModules", "ItoImages",
        "ItoTensors", "ItoComponents", "ItoTestSupport", "ItoCCodecs",
      ],
      swiftSettings: settings),
    .testTarget(
      name: "ItoPipelinesTests",
      dependencies: [
        "ItoPipelines", "ItoModels", "ItoDiffusion", "ItoCheckpoints", "ItoImages", "ItoModules",
        "ItoTensors", "ItoTokenizers", "ItoComponents", "ItoTestSupport",
      ],
      swiftSettings: settings),
    .testTarget(
      name: "ItoCommandTests",
      dependencies: [
        "ItoCommand", "ItoPipelines", "ItoTraining", "ItoDiffusion", "ItoComponents",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: settings),
  ],
  swiftLanguageModes: [.v6],
  cxxLanguageStandard: .cxx17
)

// ITO_TESTS=ItoDiffusionTests,ItoTensorsTests builds only these test targets: quicker while one module changes.
if let wanted = Context.environment["ITO_TESTS"]?.split(separator: ",").map(String.init) {
  package.targets.removeAll { $0.type == .test && !wanted.contains($0.name) }
}

// ITO_EXAMPLES=1 builds the programs in Examples/ too, in the same build folder.
if Context.environment["ITO_EXAMPLES"] != nil {
  package.targets += ["text-to-image", "image-to-image", "repaint", "serve-concurrently"].map {
    .executableTarget(
      name: "example-\($0)", dependencies: ["Ito"], path: "Examples/\($0)", swiftSettings: settings)
  }
}
