public import ItoTensors
