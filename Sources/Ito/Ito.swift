// The umbrella: `import Ito` is every library module.
@_exported public import ItoCheckpoints
@_exported public import ItoComponents
@_exported public import ItoDiffusion
@_exported public import ItoHub
@_exported public import ItoImages
@_exported public import ItoModels
@_exported public import ItoModules
@_exported public import ItoPipelines
@_exported public import ItoTensors
@_exported public import ItoTokenizers
@_exported public import ItoTraining
