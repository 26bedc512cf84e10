import Foundation
import ItoComponents
import ItoDiffusion
import Testing

/// What every spacing must hold, and values that other tools give.
@Suite struct SpacingTests {
  static let names = Registry<any StepSpacing>.builtin.names.filter { $0 != "custom" }

  @Test("noise falls to the end on every schedule", arguments: names)
  func falling(name: String) throws {
    let spacing = try Registry<any StepSpacing>.builtin.make(name)
    for schedule in Registry<any NoiseSchedule>.builtin.names {
      let schedule = try Registry<any NoiseSchedule>.builtin.make(schedule)
      for count in [1, 2, 3, 10, 37] {
        let levels: [NoiseLevel]
        do {
          levels = try spacing.levels(count: count, schedule: schedule)
        } catch {
          // A spacing may refuse a process that it is not for, and says so.
          guard case .invalidPlan(let reason) = error else { throw error }
          #expect(!reason.isEmpty)
          continue
        }
        // Quantiles in whole timesteps may coincide.
        #expect(name == "beta" ? levels.count <= count + 1 : levels.count == count + 1)
        let fractions = levels.map(\.noiseFraction)
        #expect(zip(fractions, fractions.dropFirst()).allSatisfy { $0 > $1 }, "\(fractions)")
        #expect(levels.last?.sigma == 0)
      }
    }
  }

  /// Refusals are the exception: each spacing serves the process of Stable Diffusion or a flow.
  @Test(arguments: names) func everySpacingServesSomething(name: String) throws {
    let spacing = try Registry<any StepSpacing>.builtin.make(name)
    let schedules: [any NoiseSchedule] = [ScaledLinearBeta(), RectifiedFlow()]
    let served = schedules.filter {
      (try? spacing.levels(count: 10, schedule: $0)) != nil
    }
    #expect(!served.isEmpty)
  }

  private func timesteps(_ choice: String, _ count: Int) throws -> [Int] {
    let spacing = try Registry<any StepSpacing>.builtin.make(ComponentChoice(parsing: choice))
    return try spacing.levels(count: count, schedule: ScaledLinearBeta()).dropLast().map {
      Int(($0.time * 1000 - 1).rounded())
    }
  }

  private func sigmas(_ choice: String, _ count: Int) throws -> [Double] {
    let spacing = try Registry<any StepSpacing>.builtin.make(ComponentChoice(parsing: choice))
    return try spacing.levels(count: count, schedule: ScaledLinearBeta()).map(\.noiseToSignal)
  }

  @Test func timestepsOfOtherTools() throws {
    #expect(try timesteps("simple", 4) == [999, 749, 499, 249])
    #expect(try timesteps("sgm-uniform", 3) == [999, 666, 333])
    // scipy.stats.beta.ppf, rounded as numpy does.
    #expect(try timesteps("beta", 8) == [999, 942, 823, 670, 500, 329, 176, 57])
    #expect(try timesteps("distilled", 4) == [999, 759, 499, 259])
    #expect(try timesteps("fastdpm-quadratic", 4) == [999, 562, 250, 62])
    #expect(try timesteps("custom:timesteps=[999,500,10]", 3) == [999, 500, 10])
  }

  @Test func publishedTables() throws {
    let ten = try sigmas("align-your-steps", 10)
    #expect(abs(ten[1] - 6.4745760956) < 1e-9 && abs(ten[9] - 0.1515232662) < 1e-9)
    #expect(ten[10] == 0)
    // Twice as many steps meet the table at every second level.
    let twenty = try sigmas("align-your-steps:model=sdxl", 20)
    #expect(abs(twenty[2] - 6.3184485287) < 1e-9)
    let between = (6.3184485287 * 14.6146412293).squareRoot()
    #expect(abs(twenty[1] - between) < 1e-9)
    let gits = try sigmas("gits", 4)
    #expect(
      zip(gits, [14.61464119, 2.36326075, 0.92192322, 0.36617002, 0]).allSatisfy {
        abs($0 - $1) < 1e-9
      })
  }

  @Test func closedForms() throws {
    let kl = try sigmas("kl-optimal:sigma-min=0.1,sigma-max=10", 3)
    #expect(abs(kl[1] - tan((atan(0.1) + atan(10)) / 2)) < 1e-12)
    let poly = try sigmas("polyexponential:rho=2,sigma-min=0.1,sigma-max=10", 3)
    #expect(abs(poly[1] - 0.1 * pow(100, 0.25)) < 1e-12)
    let logSNR = try sigmas("log-snr", 5)
    #expect(abs(logSNR[1] * logSNR[1] - logSNR[0] * logSNR[2]) < 1e-6)
    let flow = try LinearQuadraticSpacing().levels(count: 4, schedule: RectifiedFlow())
    #expect(abs(flow[1].sigma - 0.9875) < 1e-12 && abs(flow[2].sigma - 0.975) < 1e-12)
    // The parabola meets the line with its slope, and 1 at the end.
    let bend = (1 - 0.025 - 0.0125 * 2) / 4
    #expect(abs(flow[3].sigma - (1 - 0.0375 - bend)) < 1e-12)
  }

  @Test func betaDistribution() {
    let distribution = BetaDistribution(alpha: 0.6, beta: 0.6)
    for (share, value) in [
      (0.1, 0.03958440558878085), (0.25, 0.17568037865269498), (0.5, 0.5),
      (0.9, 0.9604155944112192), (0.999, 0.9999814412614826),
    ] {
      #expect(abs(distribution.quantile(share) - value) < 1e-12)
    }
    #expect(abs(BetaDistribution(alpha: 2, beta: 5).quantile(0.3) - 0.18180347131894917) < 1e-12)
    #expect(
      abs(BetaDistribution(alpha: 0.6, beta: 3).share(below: 0.7) - 0.9875436400471338) < 1e-12)
  }

  @Test(arguments: ["custom:sigmas=[1,2]", "custom:sigmas=[]", "custom:sigmas=[3,-1]", "custom"])
  func listsThatDoNotFallAreErrors(choice: String) {
    #expect(throws: OptionError.self) {
      try Registry<any StepSpacing>.builtin.make(ComponentChoice(parsing: choice))
    }
  }

  @Test func listsAreResampled() throws {
    let sigmas = try sigmas("custom:sigmas=[10,1,0.1,0]", 5)
    #expect(
      zip(sigmas, [10, 10.0.squareRoot(), 1, 0.1.squareRoot(), 0.1, 0]).allSatisfy {
        abs($0 - $1) < 1e-9
      })
  }
}
