// What is seen of the cloud from outside: logs with a daily cap, alerts, and a budget.
param name string
param location string
param contactEmail string
param monthlyBudget int
param budgetStart string
param hubName string

resource workspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' = {
  name: '${name}-logs'
  location: location
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: 30
    workspaceCapping: { dailyQuotaGb: json('0.2') }
    features: { disableLocalAuth: true }
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: '${name}-insights'
  location: location
  kind: 'web'
  properties: { Application_Type: 'web', WorkspaceResourceId: workspace.id, DisableLocalAuth: true }
}

resource told 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: '${name}-told'
  location: 'global'
  properties: {
    groupShortName: take(name, 12)
    enabled: true
    emailReceivers: [{ name: 'operator', emailAddress: contactEmail, useCommonAlertSchema: true }]
  }
}

resource failures 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: '${name}-functions-fail'
  location: 'global'
  properties: {
    description: 'The functions app throws again and again.'
    severity: 2
    enabled: true
    scopes: [insights.id]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          name: 'exceptions'
          criterionType: 'StaticThresholdCriterion'
          metricName: 'exceptions/count'
          metricNamespace: 'microsoft.insights/components'
          operator: 'GreaterThan'
          threshold: 10
          timeAggregation: 'Count'
        }
      ]
    }
    actions: [{ actionGroupId: told.id }]
  }
}

resource hub 'Microsoft.Devices/IotHubs@2023-06-30' existing = {
  name: hubName
}

// A house without a link keeps its clips and tells of them later; one that was robbed or has no power does not. Told once
// before the first house is there, too. With many houses it tells only when all are gone.
resource nobodyThere 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: '${name}-no-house'
  location: 'global'
  properties: {
    description: 'No house has been connected for an hour.'
    severity: 2
    enabled: true
    scopes: [hub.id]
    evaluationFrequency: 'PT15M'
    windowSize: 'PT1H'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          name: 'connected'
          criterionType: 'StaticThresholdCriterion'
          metricName: 'connectedDeviceCount'
          metricNamespace: 'Microsoft.Devices/IotHubs'
          operator: 'LessThan'
          // The hub gives this figure as an average: a house that was there for a quarter of an hour does not count as gone.
          threshold: json('0.25')
          timeAggregation: 'Average'
        }
      ]
    }
    actions: [{ actionGroupId: told.id }]
  }
}

resource budget 'Microsoft.Consumption/budgets@2023-11-01' = {
  name: '${name}-budget'
  properties: {
    category: 'Cost'
    amount: monthlyBudget
    timeGrain: 'Monthly'
    timePeriod: { startDate: budgetStart }
    notifications: {
      nearly: { enabled: true, operator: 'GreaterThan', threshold: 80, thresholdType: 'Forecasted', contactEmails: [contactEmail] }
      reached: { enabled: true, operator: 'GreaterThan', threshold: 100, thresholdType: 'Actual', contactEmails: [contactEmail] }
    }
  }
}

output workspaceName string = workspace.name
output insightsName string = insights.name
